/** What to do, split into the words and the command that can be copied. Pure. */

export interface Fix {
  readonly words: string;
  readonly command: string | undefined;
}

/** What a command in an advice begins with; other words after a colon are an explanation. */
const PROGRAMS =
  /^(?:sudo|higgsnode|ip|wg|wg-quick|iptables|ip6tables|nft|sysctl|systemctl|modprobe|ufw|firewall-cmd|docker|virsh|timedatectl|chmod|chown|rm|df|journalctl|conntrack|apt-get) \S/;

/** A command stands at the end, after the last colon that is followed by a space: `Load it: sudo modprobe tun`. */
export function splitFix(text: string): Fix {
  for (let at = text.indexOf(": "); at !== -1; at = text.indexOf(": ", at + 1)) {
    const command = text.slice(at + 2).trim();
    // A command that goes on in words cannot be copied as it is.
    if (PROGRAMS.test(command) && !/, \p{L}+ /u.test(command) && !command.includes("…")) {
      return { words: text.slice(0, at + 1), command };
    }
  }
  return { words: text, command: undefined };
}
