// qctl import: messages into the spool that export wrote, or that lie in files elsewhere.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>

#include "lib/base/exits.h"
#include "lib/base/io.h"
#include "lib/base/json_text.h"
#include "lib/base/text.h"
#include "lib/mail/line_ends.h"
#include "qctl/commands.h"
#include "qctl/look.h"
#include "qctl/portable.h"

namespace qctl {
namespace {

// Envelope and queue that the options give to all messages.
struct Given {
  std::optional<std::string> reverse_path;
  std::vector<std::string> recipients;
  std::optional<queue::Place> place;
};

std::string without_brackets(const std::string& address) {
  return address.size() >= 2 && address.starts_with('<') && address.ends_with('>') ? address.substr(1, address.size() - 2) : address;
}

base::Result<Given> given_in(const base::CommandLine& line) {
  Given given;
  if (line.has("from")) given.reverse_path = without_brackets(line.text("from"));
  for (const auto& address : line.all("to")) given.recipients.push_back(without_brackets(address));
  if (line.has("queue")) {
    given.place = queue::Place::parse(line.text("queue"));
    if (!given.place) return base::fail(base::Fault::Usage, "--queue: '" + base::text::printable(line.text("queue")) + "'; expected: the queue that gets the messages");
  }
  return given;
}

bool is_storable(const std::string& address) { return address.size() <= queue::kMaxAddressOctets && queue::is_storable_address(address); }

class Import {
 public:
  Import(Session& session, Given given) : session_(session), given_(std::move(given)) {}

  base::Result<int> run() {
    if (session_.arguments.empty()) session_.arguments.emplace_back("-");
    for (const auto& name : session_.arguments) read(name);
    (void)base::write_all(2, "qctl: " + std::string(session_.line.has("dry-run") ? "would have " : "") + "imported " + std::to_string(done_) + " of " + std::to_string(all_) +
                                 (all_ == 1 ? " message\n" : " messages\n"));
    return exit_code_;
  }

 private:
  void read(const std::string& name) {
    const std::string source = name == "-" ? "standard input" : name;
    const auto file = name == "-" ? base::Result<base::UniqueFd>() : base::open_file(name, O_RDONLY);
    if (!file) return complain(source, file.error());
    const auto octets = base::Blob::of_descriptor(name == "-" ? STDIN_FILENO : file->get(), std::numeric_limits<std::uint64_t>::max());
    if (!octets) return complain(source, octets.error());
    const auto view = octets->view();
    if (!view) return complain(source, view.error());
    if (view->octets().empty()) return complain(source, {base::Fault::Permanent, "is empty"});
    Progress progress("importing", 0);
    read_portable(view->octets(), [&](base::Result<Portable> message, const std::string& where) {
      ++all_;
      progress.step();
      if (!message) progress.wipe();
      const auto stored = message ? take(std::move(*message)) : std::unexpected(message.error());
      if (!stored) {
        progress.wipe();
        complain(source + ", " + where, stored.error());
      }
      return !session_.out.has_failed();
    });
  }

  [[nodiscard]] base::Result<void> take(Portable message) {
    if (given_.reverse_path) message.reverse_path = given_.reverse_path;
    if (!given_.recipients.empty() && given_.recipients != message.recipients) {
      message.recipients = given_.recipients;
      message.events.clear();  // it tells of recipients by their number
    }
    if (given_.place) message.place = given_.place;
    if (!message.reverse_path) return base::fail(base::Fault::Permanent, "whose message is it? expected: --from, which may be <>");
    if (message.recipients.empty()) return base::fail(base::Fault::Permanent, "whom is it for? expected: --to");
    if (!is_storable(*message.reverse_path) || !std::ranges::all_of(message.recipients, is_storable))
      return base::fail(base::Fault::Permanent, "expected: addresses of at most " + std::to_string(queue::kMaxAddressOctets) + " octets, without CR, LF and NUL");
    return store(message);
  }

  [[nodiscard]] base::Result<void> store(Portable& message) {
    queue::Item item;
    item.id = message.id ? *message.id : queue::Id::make();
    item.arrived = message.arrived ? *message.arrived : item.id.time();
    item.envelope = {std::move(*message.reverse_path), std::move(message.recipients)};
    item.context = queue::one_line(std::move(message.context));
    auto octets = base::Blob::of_octets(std::move(message.message));
    // A file of this system: as queue-inject does. What export wrote is on the wire's side already.
    if (!message.id && mail::needs_crlf(octets.octets(), mail::LineEnds::AsFirstLine)) {
      auto converted = mail::with_crlf(octets.octets(), {});
      if (!converted) return std::unexpected(converted.error());
      octets = std::move(*converted);
    }
    item.message_octets = octets.size();
    const queue::Place place = message.place.value_or(queue::Place());
    if (message.id)
      if (const auto there = find_again(session_.spool, item.id); there || there.error().error_number != ENOENT)
        return there ? base::fail(base::Fault::Permanent, item.id.string() + " is in " + there->place.folder() + " already") : std::unexpected(there.error());
    if (!session_.line.has("dry-run"))
      if (const auto stored = write(item, octets, place, message); !stored) return stored;
    tell(item.id, place);
    return {};
  }

  // Its history before it: else recipients who have it would get it again.
  [[nodiscard]] base::Result<void> write(const queue::Item& item, const base::Blob& octets, const queue::Place& place, const Portable& message) {
    auto draft = queue::Draft::begin(session_.spool, item.id);
    if (!draft) return std::unexpected(draft.error());
    if (const auto written = draft->write(item, octets); !written) return written;
    if (const auto synced = draft->sync(); !synced) return synced;
    (void)::unlink(session_.spool.progress_path(item.id).c_str());  // of an earlier life; what is known of that is in `message`
    if (!message.events.empty())
      if (const auto progress = session_.spool.append_progress(item.id, message.events); !progress) return progress;
    const auto modified = place.state == queue::State::Deferred ? std::optional(message.next_attempt.value_or(session_.now)) : std::nullopt;
    if (const auto published = draft->publish(session_.spool, place, modified); !published) return published;
    auto synced = session_.spool.sync_folder(place);
    if (!synced) draft->unpublish();
    return synced;
  }

  void tell(const queue::Id& id, const queue::Place& place) {
    ++done_;
    const bool dry_run = session_.line.has("dry-run");
    if (!session_.wants_json()) return session_.out.put(id.string() + " -> " + place.folder() + (dry_run ? " (not done)\n" : "\n"));
    std::string json = "{";
    base::json::append_member(json, "id", id.text());
    base::json::append_member(json, "command", "import");
    base::json::append_member(json, "to", place.folder());
    base::json::append_name(json, "done");
    session_.out.put(json + (dry_run ? "false}\n" : "true}\n"));
  }

  // Goes on with the other messages.
  void complain(const std::string& where, const base::Error& error) {
    (void)session_.out.flush();
    (void)base::write_all(2, "qctl: " + where + ": " + error.cause + "\n");
    const int code = base::exit_row(error.fault).by_hand;
    if (exit_code_ == 0 || error.fault == base::Fault::Temporary) exit_code_ = code;
  }

  Session& session_;
  Given given_;
  std::size_t done_ = 0, all_ = 0;
  int exit_code_ = 0;
};

}  // namespace

base::Result<int> import_messages(Session& session) {
  auto given = given_in(session.line);
  if (!given) return std::unexpected(given.error());
  return Import(session, std::move(*given)).run();
}

}  // namespace qctl
