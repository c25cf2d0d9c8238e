# SPDX-License-Identifier: MIT
#
# Contract: echo-server --resets --slow-readers --idle
# Verdict:  none
#
# A process for each client.
use strict;
use warnings;
use IO::Socket::INET;

$SIG{CHLD} = 'IGNORE';
my $listener = IO::Socket::INET->new(
    LocalAddr => '127.0.0.1', LocalPort => $ARGV[0], Listen => 64, ReuseAddr => 1
) or die "cannot listen: $!\n";
while (my $client = $listener->accept) {
    if (fork) {
        close $client;
        next;
    }
    while (sysread $client, my $bytes, 65536) {
        print $client $bytes;
        $client->flush;
    }
    exit;
}
