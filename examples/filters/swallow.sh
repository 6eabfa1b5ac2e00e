#!/bin/sh
# swallow.sh [-- NEXT...]: says that all is fine and throws the message away.
# A chain filter as vsmtp-chain(7) describes it: one that ends with 0 has taken the message; NEXT is never called.
printf 'K250 2.0.0 Ok, and never to be seen again\n' >&6
exit 0
