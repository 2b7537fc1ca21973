#!/bin/sh
# Runs as root after the files have gone. dpkg says "remove", later perhaps "purge", or "upgrade"; rpm the number of versions
# that stay. The node's key stays until a purge, so that a new installation is the same node to its guests; rpm knows no purge.
case "$1" in
  upgrade | failed-upgrade | abort-* | disappear | 1) exit 0 ;;
esac
# The links are ours only while they lead to where we were.
for link in '/usr/bin/${executable}' /usr/bin/higgsnode; do
  case "$(readlink "$link" 2>/dev/null)" in '/opt/${sanitizedProductName}/'*) rm -f "$link" ;; esac
done
if [ -f '/etc/apparmor.d/${executable}' ]; then
  if command -v apparmor_parser >/dev/null 2>&1; then apparmor_parser --remove '/etc/apparmor.d/${executable}' 2>/dev/null || true; fi
  rm -f '/etc/apparmor.d/${executable}'
fi
rm -rf /run/higgsnode
case "$1" in purge | 0) rm -rf /var/lib/higgsnode ;; esac
if [ -d /run/systemd/system ]; then systemctl daemon-reload || true; fi
if command -v update-desktop-database >/dev/null 2>&1; then update-desktop-database -q /usr/share/applications || true; fi
exit 0
