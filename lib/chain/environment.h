// The environment of the message call (vsmtp-chain(7)): which variables belong to the interface, and how a program that
// is exec'd gets them.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "lib/chain/message_call.h"

namespace chain {

inline constexpr auto kVariables = std::to_array<std::string_view>({
    // UCSPI, ucspi-tcp: environment
    "PROTO", "TCPLOCALHOST", "TCPLOCALIP", "TCPLOCALPORT", "TCPREMOTEHOST", "TCPREMOTEINFO", "TCPREMOTEIP", "TCPREMOTEPORT",
    // qmail-spp
    "SMTPAUTHMETHOD", "SMTPAUTHUSER", "SMTPHELOHOST", "SMTPMAILFROM", "SMTPRCPTCOUNT", "SMTPRCPTCOUNTALL", "SMTPRCPTHOSTSOK", "SMTPRCPTTO",
    // ours: RET and ENVID of RFC 3461
    "SMTPENVID", "SMTPRET",
    // ucspi-ssl
    "SSL_CIPHER", "SSL_PROTOCOL",
    // ours: set for a message that may go to other hosts under TLS only (RFC 8689)
    "SMTPREQUIRETLS",
    // ours: what the message is called in the log (log_ids.h)
    "QUEUEID", "SMTPTRANSACTION",
    // qmail-smtpd(8): set for clients that may relay
    "RELAYCLIENT",
});

// Those of them that this process has, as NAME=value.
[[nodiscard]] Words interface_environment();

// The environment for an exec: that of this process without those in `over` and without kVariables, which belong to another
// call or to nobody; then `over`; then nullptr. Points into environ and `over`.
[[nodiscard]] std::vector<char*> environment_for_exec(const Words& over);

}  // namespace chain
