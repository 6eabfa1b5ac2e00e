// send_mail() (vsl.md 3.7): a file below APPDIR goes out as a message of its own, by this server's queue.
#include "lib/mail/line_ends.h"
#include "lib/queue/spool.h"
#include "vsl-filter/transaction/addresses.h"
#include "vsl-filter/api/needs.h"
#include "vsl-filter/api/object.h"
#include "vsl-filter/api/scene.h"
#include "vsl-filter/api/app_files.h"
#include "vsl-filter/transaction/context_json.h"
#include "vsl-filter/services/service.h"

namespace rules {

using vsl::Expected;
using vsl::Result;
using vsl::Run;
using vsl::Value;

namespace {

// As the spool holds it. A copy from the start: what is changed or cut short meanwhile must not be sent half.
base::Result<base::Blob> message_in(const Site& site, const std::string& path) {
  const auto file = AppFiles(site.app_directory).open(path);
  if (!file) return std::unexpected(file.error());
  const auto given = base::Blob::of_descriptor(file->get(), site.settings.octets("queue.message_limit"));
  if (!given) return given;
  static const base::BlobWriter::Limits limits;
  base::BlobWriter copy(limits);
  if (const auto copied = copy.append_range(*given, 0, given->size()); !copied) return std::unexpected(copied.error());
  auto message = copy.finish();
  const auto view = message.view();
  if (!view) return std::unexpected(view.error());
  if (!mail::needs_crlf(view->octets(), mail::LineEnds::AsFirstLine)) return message;
  return mail::with_crlf(view->octets(), limits);
}

// Those that are no addresses are left out, as vSMTP did.
Expected<std::vector<std::string>> recipients_in(const Value& value) {
  std::vector<std::string> recipients;
  const auto take = [&recipients](const Value& one) {
    std::string address = name_argument(one);
    if (check_address(address)) recipients.push_back(std::move(address));
  };
  if (value.is_array()) {
    for (const Value& one : value.as_array()) take(one);
  } else {
    take(value);
  }
  if (recipients.empty()) return vsl::fail_api("MissingTo: send_mail has no valid recipient");
  return recipients;
}

struct Outgoing {
  std::string reverse_path;
  std::vector<std::string> recipients;
  chain::Transfer transfer;
};

queue::Item item_of(const Site& site, const Outgoing& outgoing, std::uint64_t message_octets) {
  queue::Item item;
  item.arrived = site.now();
  item.id = queue::Id::make(item.arrived);
  item.envelope = {outgoing.reverse_path, outgoing.recipients};
  item.message_octets = message_octets;
  Session session;
  session.connection.server_name = site.domain;
  session.connection.time = item.arrived;
  auto& transaction = session.mail(outgoing.reverse_path, item.id.string(), item.arrived);
  for (const auto& recipient : outgoing.recipients) session.rcpt(recipient, item.arrived);
  transaction.recipients.set_transfer_of_all(outgoing.transfer);
  item.context = queue::one_line(to_context(session, {.reader = ContextForm::For::Chain}));
  return item;
}

base::Result<queue::Id> store(const Site& site, const Outgoing& outgoing, const base::Blob& message) {
  const auto spool = queue::Spool::open(site.settings.text("queue.spool"));
  if (!spool) return std::unexpected(spool.error());
  const auto item = item_of(site, outgoing, message.size());
  // Past the rules behind the queue: who sends by a rule must not meet that rule again.
  if (const auto stored = spool->store(item, message, {queue::State::Deliver, {}}); !stored) return std::unexpected(stored.error());
  return item.id;
}

Result send(Run& run, Arguments a, chain::Transfer transfer) {
  const Site& site = scene_of(run).site;
  Outgoing outgoing{name_argument(a[0]), {}, std::move(transfer)};
  if (outgoing.reverse_path == "<>") outgoing.reverse_path.clear();
  if (!outgoing.reverse_path.empty())
    if (const auto valid = check_address(outgoing.reverse_path); !valid) return vsl::fail_api("MissingParts: the sender of send_mail: " + valid.error().cause);
  auto recipients = recipients_in(a[1]);
  if (!recipients) return pass_on(recipients);
  outgoing.recipients = *std::move(recipients);
  const std::string path = name_argument(a[2]);

  const Waiting waiting(run);
  const auto message = message_in(site, path);
  if (!message) return vsl::fail_api("send_mail cannot read '" + path + "': " + message.error().cause);
  const std::string what = "send_mail: " + path + " from <" + outgoing.reverse_path + "> to " + std::to_string(outgoing.recipients.size()) +
                           (outgoing.recipients.size() == 1 ? " recipient" : " recipients");
  if (site.is_trial) {
    if (site.log) site.log(LogLevel::Info, what + ": not sent, since the rules are only tried");
    return Value();
  }
  const auto id = store(site, outgoing, *message);
  if (!id) return vsl::fail_api("send_mail cannot queue '" + path + "': " + id.error().cause);
  if (site.log) site.log(LogLevel::Info, what + " is queued as " + id->string());
  return Value();
}

Result send_mail(Run& run, Arguments a) { return send(run, a, {}); }

Result send_mail_by(Run& run, Arguments a) {
  const auto transfer = forward_to(name_argument(a[3]));
  if (!transfer) return fail_with(transfer.error());
  return send(run, a, *transfer);
}

using enum vsl::Type;
constexpr ApiRow kRows[] = {
    api<send_mail>("send_mail", "", {Any, Any, Any}, kEvery,
                   "queues a file below the rules' folder as a message: send_mail(\"from@example.org\", [\"to@example.net\"], \"folder/notice.eml\")", kWaits | kQueues),
    api<send_mail_by>("send_mail", "", {Any, Any, Any, Any}, kEvery, "... that goes to this host, named as for forward()", kWaits | kQueues),
};

}  // namespace

std::span<const ApiRow> send_mail_rows() { return kRows; }

}  // namespace rules
