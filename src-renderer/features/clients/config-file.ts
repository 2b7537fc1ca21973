/** The name of a client's configuration file. */

/** WireGuard's apps and wg-quick(8) take the tunnel's name from the file's: 15 characters of this alphabet. */
const LONGEST_TUNNEL_NAME = 15;

/** `Anna's phone` → `Annas-phone.conf`; what no tunnel may be called becomes `higgsnode.conf`. */
export function configFileName(clientName: string): string {
  const name = clientName
    .normalize("NFKD")
    .replace(/ +/g, "-")
    .replace(/[^a-zA-Z0-9_.-]/g, "")
    .slice(0, LONGEST_TUNNEL_NAME)
    .replace(/^[.-]+|[.-]+$/g, "");
  return `${name === "" ? "higgsnode" : name}.conf`;
}
