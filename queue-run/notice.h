// A notification about the delivery of a message (RFC 3461, RFC 3464): what it tells, and the message that tells it. No I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/blob.h"
#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/mail/dsn.h"
#include "lib/queue/id.h"
#include "lib/queue/item.h"
#include "queue-run/notice_text.h"

namespace run {

// Action of RFC 3464 section 2.3.3.
enum class Action : std::uint8_t { Failed, Delayed, Delivered, Relayed, Expanded };

// A recipient of whom it tells.
struct Told {
  std::uint32_t recipient = 0;  // its index in the envelope
  Action action = Action::Failed;
  std::string text;             // what the transport said last
  base::WallTime time;          // when
};

struct NoticeSettings {
  bool is_on = true;                       // queue.bounce
  std::string server = "localhost";        // Reporting-MTA, and who it is from
  std::string postmaster;                  // whom failures of bounces are told; "": nobody
  std::uint64_t return_octets = 51'200;    // of larger messages the header alone is returned
  std::size_t recipients = 1000;           // that one notice tells of
  std::chrono::milliseconds delay_warning{14'400'000};  // 0: nobody is warned
  NoticeTexts texts;
};

// The message of which it tells.
struct Subject {
  queue::Id id;
  base::WallTime arrived;
  base::WallTime expires;  // Will-Retry-Until
  std::string reverse_path;
  std::vector<std::string> recipients;
  mail::DsnRequest dsn;
  bool is_smtputf8 = false;   // its sender said so: he can read UTF-8
  bool requires_tls = false;  // RFC 8689 section 5: notices about it, too, and no more of it than its header
  base::Blob octets;
  std::string transaction;    // what smtpd called it, for the log
};

struct Notice {
  NoticeKind kind = NoticeKind::Failure;
  queue::Id id;            // of the message that it will be
  bool is_double = false;  // to the postmaster, about a bounce
  std::string to = {};     // "": the sender
  std::vector<Told> told;
};

struct NoticeMessage {
  queue::Item item;
  base::Blob octets;
};
// multipart/report with report-type delivery-status: text for people, fields for programs, and of the message what may be
// returned. From the null reverse-path, so that nobody is told what becomes of it.
[[nodiscard]] base::Result<NoticeMessage> compose(const Notice& notice, const Subject& subject, const NoticeSettings& settings, base::WallTime now);

// The member "notice" of the context of such a message.
struct NoticeMark {
  queue::Id of;            // of which message it tells
  bool is_double = false;
};
[[nodiscard]] std::optional<NoticeMark> notice_mark(std::string_view context);

}  // namespace run
