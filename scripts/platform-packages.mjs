/**
 * The programs that HiggsNode and its tests call, and the packages that bring them.
 * `tests` are needed by the lab only; a node runs without them.
 */
export const PROGRAMS = [
  { program: "ip", packages: { debian: "iproute2", fedora: "iproute", arch: "iproute2" } },
  { program: "wg", packages: { debian: "wireguard-tools", fedora: "wireguard-tools", arch: "wireguard-tools" } },
  { program: "wireguard-go", packages: { debian: "wireguard-go", fedora: "wireguard-go", arch: "wireguard-go" } },
  { program: "iptables", packages: { debian: "iptables", fedora: "iptables-nft", arch: "iptables-nft" } },
  { program: "nft", tests: true, packages: { debian: "nftables", fedora: "nftables", arch: "nftables" } },
  { program: "ping", tests: true, packages: { debian: "iputils-ping", fedora: "iputils", arch: "iputils" } },
  { program: "ss", tests: true, packages: { debian: "iproute2", fedora: "iproute", arch: "iproute2" } },
  { program: "ps", tests: true, packages: { debian: "procps", fedora: "procps-ng", arch: "procps-ng" } },
  { program: "sysctl", tests: true, packages: { debian: "procps", fedora: "procps-ng", arch: "procps-ng" } },
  {
    program: "conntrack",
    packages: { debian: "conntrack", fedora: "conntrack-tools", arch: "conntrack-tools" },
  },
  {
    program: "miniupnpd",
    tests: true,
    packages: { debian: "miniupnpd-nftables", fedora: "miniupnpd", arch: "miniupnpd" },
  },
  {
    program: "nats-server",
    tests: true,
    packages: { debian: "nats-server", fedora: "nats-server", arch: "nats-server" },
  },
  { program: "chromium", tests: true, packages: { debian: "chromium", fedora: "chromium", arch: "chromium" } },
];

/** macOS and Windows bring pf, netsh and the rest themselves. */
export const OTHER_SYSTEMS = {
  darwin: "brew install wireguard-tools wireguard-go",
  win32: "winget install WireGuard.WireGuard",
};

const INSTALL = {
  debian: (packages) => `sudo apt-get install -y ${packages.join(" ")}`,
  fedora: (packages) => `sudo dnf install -y ${packages.join(" ")}`,
  arch: (packages) => `sudo pacman -S --needed ${packages.join(" ")}`,
};

/** One line per family of Linux distributions with the command that brings `missing`. */
export function installCommands(missing) {
  return Object.entries(INSTALL).map(([family, command]) => {
    const packages = [...new Set(missing.map(({ packages }) => packages[family]))];
    return `${family}: ${command(packages)}`;
  });
}
