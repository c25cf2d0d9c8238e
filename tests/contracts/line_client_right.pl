# SPDX-License-Identifier: MIT
#
# Contract: line-client --resets --idle
# Verdict:  none
#
# Ends its sending when its input ends.
use strict;
use warnings;
use IO::Socket::INET;

$| = 1;
$SIG{PIPE} = 'IGNORE';
my $server = IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => $ARGV[1])
    or die "cannot connect: $!\n";
while (my $line = <STDIN>) {
    print $server $line;
    $server->flush;
    my $answer = <$server>;
    exit 1 unless defined $answer;
    print $answer;
}
shutdown $server, 1;
1 while sysread $server, my $rest, 4096;
