// By what a message is called in the log, so that one grep finds all that became of it (smtpd(8), LOG): `transaction`, which
// smtpd gave it and the context carries, and `id`, its name in the queue. Copies have one transaction and each its own id.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/log.h"
#include "lib/chain/message_call.h"

namespace chain {

struct LogIds {
  std::string id;           // "": it is in no queue
  std::string transaction;  // "": nobody has said

  // Of a delivery call as its environment says, of a message call as its context does.
  [[nodiscard]] static LogIds of(const Call& call);
  // For a delivery call.
  void append_to(Words& environment) const;
  // `id` is the transaction's where there is no other, so that each line has one.
  [[nodiscard]] std::vector<base::log::Field> before(std::initializer_list<base::log::Field> others) const;
};

// metadata.message_id of a context, without a tree. "": it says nothing, or something that is no name.
[[nodiscard]] std::string transaction_of(std::string_view context);

}  // namespace chain
