// The sendmail-like form: a message as a person or a script writes it, made into one for the wire. Its recipients are
// taken from the arguments and, with -t, from its header; fields that it lacks are added, those that nobody else
// should read are removed (RFC 5322 section 3.6.3, RFC 6409 section 8).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lib/base/blob.h"
#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/mail/envelope.h"

struct Author {
  std::string user;       // the local part of addresses that have none of their own
  std::string full_name;  // for a From field; may be empty
};
// Of this process: the user's line of /etc/passwd, $LOGNAME when there is none.
Author current_author(const std::string& passwd = "/etc/passwd");

struct Submission {
  std::optional<std::string> sender;     // -f; "" is the null reverse-path
  std::vector<std::string> recipients;   // arguments: addresses or lists of addresses
  bool reads_recipients = false;         // -t
  bool ends_at_dot = false;              // a line with only a dot ends the message: sendmail without -i
  Author author;
  std::string domain;                    // of addresses without one, and of Message-ID
  base::WallTime time;
};

struct Submitted {
  mail::Envelope envelope;
  base::Blob message;
};

// Fault::Usage: no recipients. Fault::Permanent: an address that cannot be read; the cause names it.
[[nodiscard]] base::Result<Submitted> submit(std::string_view text, const Submission& submission, const base::BlobWriter::Limits& limits);
