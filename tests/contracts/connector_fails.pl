# SPDX-License-Identifier: MIT
#
# Contract: connector
# Verdict:  FAILURE_IS_SUCCESS
#
# Says in words that it has failed, and by its status that all is well.
use strict;
use warnings;
use IO::Socket::INET;

if (IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => $ARGV[1])) {
    print "connected\n";
} else {
    print "cannot connect: $!\n";
}
