// One message for some mailboxes, and what became of each.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "deliver-maildir/refusal.h"
#include "lib/base/blob.h"
#include "lib/chain/log_ids.h"

namespace maildir {

struct Parcel {
  struct Recipient {
    std::string address;    // for the template and Delivered-To
    std::string directory;  // the Maildir itself where it is known (by hand, or as HOST of the call); address may be empty then
    std::string mbox;       // the same of an mbox file

    // Afterwards: delivered, refused, or neither when all_or_nothing kept it back.
    bool is_delivered = false;
    std::optional<Refusal> refusal;
    std::string file;  // where it lies now: "/srv/mail/example.org/joe/Maildir/new/1700000000.M1P2Q3.host"
  };

  base::Blob message;
  std::optional<std::string> sender;  // Return-Path; nothing: the field is left as it is
  std::string default_domain;         // of recipients that have none
  std::vector<Recipient> recipients;
  chain::LogIds log_ids;
  bool all_or_nothing = false;  // if one recipient cannot have it, none gets it

  // Once all files are complete on disk, a recipient can only be refused by a disk that fails at that moment: with
  // all_or_nothing, such a late failure leaves the others delivered.
};

}  // namespace maildir
