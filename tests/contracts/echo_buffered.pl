# SPDX-License-Identifier: MIT
#
# Contract: echo-server
# Verdict:  NOTHING_SENT
#
# print keeps the bytes until its buffer is full.
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
    $client->autoflush(0);
    while (sysread $client, my $bytes, 4096) {
        print $client $bytes;
    }
    exit;
}
