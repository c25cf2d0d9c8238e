# SPDX-License-Identifier: MIT
#
# Contract: datagram-echo --resets --idle --size 60000
# Verdict:  none
#
# Each datagram goes back to where it came from.
use strict;
use warnings;
use IO::Socket::INET;

my $server = IO::Socket::INET->new(
    Proto => 'udp', LocalAddr => '127.0.0.1', LocalPort => $ARGV[0]
) or die "cannot bind: $!\n";
while (1) {
    defined(my $sender = recv $server, my $bytes, 65536, 0) or next;
    send $server, $bytes, 0, $sender;
}
