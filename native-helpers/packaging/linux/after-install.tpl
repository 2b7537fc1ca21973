#!/bin/sh
# Runs as root after the files are in place, of an installation and of an update. electron-builder fills in ${executable}
# and ${sanitizedProductName}; the shell's own variables have no braces for that reason.
set -e
app='/opt/${sanitizedProductName}'

# An archive may have been unpacked by hand: nobody but root may change what root runs.
chown -R root:root "$app"
chmod -R go-w "$app"

# Chromium's sandbox takes user namespaces where it may make them, and this program where it may not.
if unshare --user true 2>/dev/null; then chmod 0755 "$app/chrome-sandbox"; else chmod 4755 "$app/chrome-sandbox"; fi

ln -sf "$app/${executable}" '/usr/bin/${executable}'
ln -sf "$app/resources/higgsnode" /usr/bin/higgsnode

# Where unprivileged user namespaces are refused by AppArmor (Ubuntu 24.04 and newer), this profile permits them to us.
if command -v apparmor_parser >/dev/null 2>&1 &&
  apparmor_parser --skip-kernel-load --debug "$app/resources/apparmor-profile" >/dev/null 2>&1; then
  cp -f "$app/resources/apparmor-profile" '/etc/apparmor.d/${executable}'
  apparmor_parser --replace --write-cache --skip-read-cache '/etc/apparmor.d/${executable}' >/dev/null 2>&1 || true
fi

if [ -d /run/systemd/system ]; then systemctl daemon-reload || true; fi
if command -v update-desktop-database >/dev/null 2>&1; then update-desktop-database -q /usr/share/applications || true; fi
exit 0
