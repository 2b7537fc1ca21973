# Sends router advertisements (RFC 4861, section 4.2) with one on-link prefix (section 4.6.2) until it is ended:
#   perl router-advertiser.pl INTERFACE PREFIX LENGTH
# In Perl because Node.js has no raw sockets; every Debian has it. The kernel fills in the checksum (RFC 3542, section 3.1).
use strict;
use warnings;
use Socket qw(AF_INET6 SOCK_RAW inet_pton pack_sockaddr_in6);

my ($interface, $prefix, $length) = @ARGV;
my ($ICMPV6, $IPPROTO_IPV6, $MULTICAST_IF, $MULTICAST_HOPS) = (58, 41, 17, 18);
my ($LIFETIME_SECONDS, $PREFIX_SECONDS) = (30, 600);

open(my $file, '<', "/sys/class/net/$interface/ifindex") or die "no interface $interface: $!";
chomp(my $index = <$file>);
socket(my $socket, AF_INET6, SOCK_RAW, $ICMPV6) or die "socket: $!";
setsockopt($socket, $IPPROTO_IPV6, $MULTICAST_IF, pack('i', $index)) or die "multicast interface: $!";
# Receivers refuse whatever may have crossed a router.
setsockopt($socket, $IPPROTO_IPV6, $MULTICAST_HOPS, pack('i', 255)) or die "multicast hops: $!";

# Type 134; hop limit 64; no flags: addresses are made by the hosts themselves.
my $header = pack('CCnCCnNN', 134, 0, 0, 64, 0, $LIFETIME_SECONDS, 0, 0);
# Prefix information: on-link and autonomous.
my $option = pack('CCCCNNN', 3, 4, $length, 0xc0, $PREFIX_SECONDS, $PREFIX_SECONDS, 0) . inet_pton(AF_INET6, $prefix);
my $everyone = pack_sockaddr_in6(0, inet_pton(AF_INET6, 'ff02::1'), $index);

$| = 1;
my $announced = 0;
while (1) {
  # The interface's link-local address comes up a moment after the interface.
  if (defined send($socket, $header . $option, 0, $everyone)) {
    print "advertising\n" unless $announced++;
  }
  sleep 1;
}
