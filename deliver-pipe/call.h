// What a call of deliver-pipe asks for: its words, and the words and the environment of the command. No I/O.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/base/result.h"
#include "lib/chain/delivery_call.h"

namespace pipe_delivery {

struct PipeCall {
  chain::Words command;  // as it stands between the braces; empty: the host is "|" and a command line for the shell
  chain::DeliveryCall delivery;

  [[nodiscard]] std::string name() const;  // for logs and replies
};

// { COMMAND ARGUMENT... } HOST SENDER RECIPIENT..., or "|COMMAND LINE" SENDER RECIPIENT... . Fault::Usage.
[[nodiscard]] base::Result<PipeCall> parse_call(const chain::Words& arguments);

// A recipient, or all of a call, and how a command knows them.
struct Party {
  std::string host;    // of the call
  std::string sender;
  std::vector<std::string> recipients;
  std::string delimiter = "+";  // between {user} and {extension}
};

// The program and its arguments, with {recipient} and the like replaced. Of several recipients an argument "{recipient}" becomes as
// many, and what else depends on the recipient is an error (Fault::Config). Fault::Permanent: an address that could be taken for
// an option.
[[nodiscard]] base::Result<chain::Words> words_of(const PipeCall& call, const Party& party);

// Names as qmail-command(8) has them, and those of Postfix's local(8) that mean the same; NAME and value.
using Variables = std::vector<std::pair<std::string, std::string>>;
[[nodiscard]] Variables variables_of(const Party& party, std::string_view from_line);
// All that it may set: what a party does not have is taken out of the environment.
[[nodiscard]] std::vector<std::string> variable_names();

}  // namespace pipe_delivery
