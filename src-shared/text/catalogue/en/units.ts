export const units = {
  justNow: "just now",
  moment: "a moment",
  size: { b: "B", kib: "KiB", mib: "MiB", gib: "GiB", tib: "TiB", pib: "PiB" },
  decimal: { b: "B", kb: "kB", mb: "MB", gb: "GB", tb: "TB" },
  rate: { bit: "bit/s", kbit: "kbit/s", mbit: "Mbit/s", gbit: "Gbit/s" },
} as const;
