// A message in queue-run's hands: it waits for a place, is being delivered, or its results are being recorded. Those that
// are not due, or for which there is no room, are an id in DueIndex or Backlog, and an item on the disk.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/base/blob.h"
#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "lib/chain/log_ids.h"
#include "lib/mail/envelope.h"
#include "lib/mail/verp.h"
#include "lib/queue/id.h"
#include "lib/queue/place.h"
#include "lib/queue/progress.h"
#include "queue-run/delegation.h"
#include "queue-run/notices.h"
#include "queue-run/results.h"
#include "queue-run/route.h"
#include "queue-run/rules_stage.h"
#include "queue-run/schedule.h"
#include "queue-run/wishes.h"

namespace run {

struct Message;

// One call of a transport for some recipients of a message.
struct Delivery : Schedule::Job {
  Message* message = nullptr;
  Batch batch;
  std::uint64_t call = 0;  // the Caller's handle while it is open
  bool is_open = false;
  bool asks_rules = false;  // not a delivery: AtRules::job
  bool hands_over = false;  // nor this: AtService::job
};

// Of a message that rules have to see before it goes on.
struct AtRules {
  RulesStage stage = RulesStage::Postq;
  std::string context;               // as it is stored
  std::vector<queue::Event> events;  // that are recorded
  Delivery job;
  std::string sent;                    // the context of the call that is open
  std::optional<chain::Answer> given;  // what came back during it by queue-inject --replace
  std::string failure;                 // of the rules, for the operator
  bool is_replacing = false;           // its new text is being stored: nobody takes it away meanwhile
};

// Of a message that rules have delegated to a content filter, and that is not back.
struct AtService {
  chain::Delegation what;
  std::string context;               // as it is stored
  std::vector<queue::Event> events;  // that are recorded
  Delivery job;                      // hands it over
  std::optional<base::WallTime> due = {};  // the filter has it: when it is lost
  bool is_replacing = false;  // what came back is being stored
  bool is_back = false;       // ... is stored
  bool is_gone = false;       // ... is not, since somebody has moved the message
};

// What becomes of a message when its attempt has ended.
struct Conclusion {
  std::optional<queue::Place> place;               // nothing: it is forgotten
  std::optional<base::WallTime> modified = {};     // of State::Deferred and Delegated: the next attempt
};

// What an operator wants done with a message that is being delivered; done when nothing of it is open any more.
struct Wish {
  std::optional<queue::Place> place;  // nothing: to be forgotten
  std::function<void(base::Result<void>)> answer;
  bool shares_sync = false;  // who is answered makes it durable, with others
};

struct Message {
  queue::Id id;
  bool is_in_log = false;
  queue::Place place;     // of its file
  bool is_fresh = true;   // this is its first attempt
  bool is_stuck = false;      // Recorder could not write something of it and tries again
  std::uint64_t turn = 0;     // turn_of() its sender
  bool retries_soon = false;  // an operator asked for another attempt while this one was going on
  base::WallTime arrived;
  Wishes wishes;          // of rules
  bool requires_tls = false;  // it may go to other hosts under TLS only: RFC 8689
  mail::DsnRequest dsn;   // of its sender
  NoticeFacts notice_facts;
  bool is_smtputf8 = false;
  std::string transaction;  // what smtpd called it, for the log
  bool is_notice = false;     // of ours
  std::optional<mail::VerpSender> verp;  // of a mailing
  std::vector<std::string> targets;  // addresses that its recipients stand for; none: they are those of the envelope
  mail::Envelope envelope;
  base::Blob octets;      // while is_held
  bool is_held = false;   // always of one in the log; of a file only while something is open: it is locked as long
  std::unique_ptr<AtRules> rules;    // nothing: they have run
  std::unique_ptr<AtService> service;  // nothing: no content filter has it
  std::vector<Delivery> deliveries;  // of this attempt; stay where they are
  std::size_t unfinished = 0;        // of them: wait or are open
  std::size_t open = 0;
  std::string waits_for;             // a destination that this attempt could not reach
  Tally tally;
  std::vector<queue::Event> unrecorded;
  std::vector<Told> ends;    // of recipients whose sender may have to be told of them, and was not
  bool must_notify = false;   // when it has a file of its own
  bool is_notifying = false;  // notices are being stored: nobody takes it away meanwhile
  std::optional<Conclusion> conclusion;
  std::optional<Wish> wish;

  [[nodiscard]] const std::vector<std::string>& recipients() const { return targets.empty() ? envelope.recipients : targets; }
};

inline chain::LogIds log_ids(const Message& message) { return {message.id.string(), message.transaction}; }

}  // namespace run
