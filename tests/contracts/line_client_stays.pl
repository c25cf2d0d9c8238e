# SPDX-License-Identifier: MIT
#
# Contract: line-client
# Verdict:  FIN_NOT_SENT
#
# At the end of its input it waits for the server to end first.
use strict;
use warnings;
use IO::Socket::INET;

$| = 1;
my $server = IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => $ARGV[1])
    or die "cannot connect: $!\n";
while (my $line = <STDIN>) {
    print $server $line;
    $server->flush;
    my $answer = <$server>;
    last unless defined $answer;
    print $answer;
}
1 while sysread $server, my $rest, 4096;
