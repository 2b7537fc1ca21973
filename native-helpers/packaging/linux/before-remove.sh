#!/bin/sh
# Runs as root before the files go. dpkg says "remove" or "upgrade", rpm the number of versions that stay. An update leaves
# a running node alone: its helper finds everything again when it is started anew.
case "$1" in
  upgrade | failed-upgrade | 1) exit 0 ;;
esac
app=/opt/HiggsNode

if [ -d /run/systemd/system ]; then
  systemctl stop 'higgsnode-helper@*.service' || true
  for link in /etc/systemd/system/multi-user.target.wants/higgsnode-helper@*.service; do
    [ -e "$link" ] || [ -L "$link" ] || continue
    rm -f "$link"
  done
fi

# Nodes drain and restore the network when they are asked to end; so do helpers.
running() {
  for exe in /proc/[0-9]*/exe; do
    case "$(readlink "$exe" 2>/dev/null)" in
      "$app"/*) pid=$(basename "$(dirname "$exe")"); [ "$pid" = "$$" ] || echo "$pid" ;;
    esac
  done
}
end_all() {
  for pid in $(running); do kill -TERM "$pid" 2>/dev/null || true; done
  # Half a minute is a node's own deadline.
  tries=0
  while [ -n "$(running)" ] && [ "$tries" -lt 70 ]; do
    sleep 0.5
    tries=$((tries + 1))
  done
}
end_all

# What a run left behind that was killed.
if [ -x "$app/resources/higgsnode" ]; then
  timeout 60 "$app/resources/higgsnode" restore-network >/dev/null 2>&1 ||
    echo 'HiggsNode: the network could not be restored; restarting the computer does.' >&2
  # The helper that did it waits for somebody else to ask something of it.
  end_all
fi
exit 0
