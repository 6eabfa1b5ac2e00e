#include "deliver-maildir/deliverer.h"

#include <unistd.h>

#include <algorithm>

#include "lib/base/clock.h"
#include "lib/base/text.h"

namespace maildir {
namespace {

constexpr std::uint64_t kKeepOpenMilliseconds = 3'600'000;  // then it is opened anew, and its tmp/ cleaned

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

void refuse_all(Parcel& parcel, const Refusal& refusal) {
  for (auto& recipient : parcel.recipients) recipient.refusal = refusal;
}

bool has_refused(const Parcel& parcel) {
  return std::ranges::any_of(parcel.recipients, [](const auto& recipient) { return recipient.refusal.has_value(); });
}

// Takes out the landings of recipients that were refused meanwhile: their files are gone then, if they had no name in new/.
template <class Landings>
void drop_refused(Landings& landings) {
  std::erase_if(landings, [](const auto& landing) { return landing.recipient->refusal.has_value(); });
}

}  // namespace

std::shared_ptr<const Maildir> OpenMaildirs::find(const std::string& path) {
  const auto known = by_path_.find(path);
  if (known == by_path_.end()) return nullptr;
  const Maildir& maildir = **known->second;
  if (!maildir.is_in_place() || base::monotonic_milliseconds() - maildir.opened_at_milliseconds() > kKeepOpenMilliseconds) {
    recent_.erase(known->second);
    by_path_.erase(known);
    return nullptr;
  }
  recent_.splice(recent_.begin(), recent_, known->second);
  return recent_.front();
}

void OpenMaildirs::add(std::shared_ptr<const Maildir> maildir) {
  if (max_ == 0) return;
  if (recent_.size() == max_) {
    by_path_.erase(recent_.back()->path());
    recent_.pop_back();
  }
  recent_.push_front(std::move(maildir));
  by_path_[recent_.front()->path()] = recent_.begin();
}

Deliverer::Deliverer(DeliveryRules rules, std::string_view host) : rules_(std::move(rules)), open_(rules_.open_max), names_(host, ::getpid()) {}

void Deliverer::deliver(std::span<Parcel* const> parcels) {
  advance(parcels);
  advance({});
}

void Deliverer::advance(std::span<Parcel* const> parcels) {
  Landings coming;
  for (Parcel* parcel : parcels) write_files(*parcel, coming);
  sync(coming);
  for (Parcel* parcel : parcels) {
    if (!parcel->all_or_nothing || !has_refused(*parcel)) continue;
    const auto is_of_parcel = [&](const Landing& landing) {
      return landing.recipient >= parcel->recipients.data() && landing.recipient < parcel->recipients.data() + parcel->recipients.size();
    };
    std::erase_if(coming, is_of_parcel);
  }
  publish(coming);
  published_ = std::move(coming);
}

void Deliverer::write_files(Parcel& parcel, Landings& landings) {
  if (parcel.sender && std::ranges::any_of(*parcel.sender, is_control))
    return refuse_all(parcel, {Reason::BadSender, "control character in sender <" + base::text::printable(*parcel.sender) + ">"});
  const auto view = parcel.message.view();
  if (!view) return refuse_all(parcel, refusal_of(view.error()));
  const auto message = parcel.sender ? mail::without_return_path(view->octets()) : mail::Segments{view->octets()};
  for (auto& recipient : parcel.recipients) {
    if (deliver_to_mbox(parcel, recipient, message)) continue;
    auto landing = write_file(parcel, recipient, message);
    if (landing) {
      landings.push_back(std::move(*landing));
    } else {
      recipient.refusal = std::move(landing.error());
    }
  }
}

Accepted<Deliverer::Landing> Deliverer::write_file(const Parcel& parcel, Parcel::Recipient& recipient, const mail::Segments& message) {
  auto maildir = maildir_of(parcel, recipient);
  if (!maildir) return std::unexpected(std::move(maildir.error()));
  const std::string name = names_.next(base::wall_now());
  auto file = NewFile::create(std::move(*maildir), name);
  if (!file) return std::unexpected(refusal_of(file.error()));
  const auto size = mail::write_stored(file->fd(), mail::delivery_fields(parcel.sender, recipient.address), message, rules_.line_end);
  if (!size) return std::unexpected(refusal_of(base::fail_within(file->maildir().path(), size.error()).error()));
  std::string sizes;
  if (rules_.size_in_name) sizes = ",S=" + std::to_string(size->octets) + ",W=" + std::to_string(size->octets_with_crlf);
  return Landing{&recipient, std::move(*file), name + sizes};
}

Accepted<std::string> Deliverer::path_of(const Parcel& parcel, const Parcel::Recipient& recipient) const {
  const auto name = read_recipient(recipient.address, parcel.default_domain, rules_.names);
  if (!name) return std::unexpected(name.error());
  return rules_.where.path_of(*name);
}

Accepted<std::shared_ptr<const Maildir>> Deliverer::maildir_of(const Parcel& parcel, const Parcel::Recipient& recipient) {
  if (!recipient.directory.empty()) return open_or_create(recipient.directory, true);
  const auto name = read_recipient(recipient.address, parcel.default_domain, rules_.names);
  if (!name) return std::unexpected(name.error());
  const auto path = rules_.where.path_of(*name);
  if (!path) return std::unexpected(path.error());
  auto maildir = open_or_create(*path, false);
  if (maildir || (maildir.error().reason != Reason::NoSuchMailbox && maildir.error().reason != Reason::NoMailboxYet)) return maildir;
  return stand_in(*name, *path, std::move(maildir.error()));
}

Accepted<std::shared_ptr<const Maildir>> Deliverer::stand_in(const MailboxName& name, const std::string& path, Refusal refusal) {
  MailboxName without = name;
  without.extension.clear();
  const auto inbox = rules_.where.path_of(without);
  if (rules_.missing_folder != MissingFolder::Refuse && inbox && *inbox != path) {
    auto maildir = open_or_create(*inbox, false);
    if (maildir && rules_.missing_folder == MissingFolder::Inbox) return maildir;
    if (maildir) {
      if (const auto created = Maildir::create_folder(path); !created) return std::unexpected(refusal_of(created.error()));
      return open_or_create(path, true);
    }
  }
  if (!rules_.catch_all) return std::unexpected(std::move(refusal));
  const auto fallback = rules_.catch_all->path_of(name);
  if (!fallback) return std::unexpected(fallback.error());
  return open_or_create(*fallback, true);
}

bool Deliverer::deliver_to_mbox(const Parcel& parcel, Parcel::Recipient& recipient, const mail::Segments& message) {
  const bool is_known = !recipient.mbox.empty();
  if (!is_known && (!rules_.is_mbox || !recipient.directory.empty())) return false;
  const auto appended = [&]() -> Accepted<std::string> {
    const auto path = is_known ? Accepted<std::string>(recipient.mbox) : path_of(parcel, recipient);
    if (!path) return path;
    if (!is_known && !exists(rules_.where.root())) return refuse(Reason::Trouble, rules_.where.root() + ": not there; is it mounted?");
    const std::string sender = parcel.sender.value_or("");
    const MboxMessage stored{sender, mail::delivery_fields(parcel.sender, recipient.address), message};
    auto done = append_to_mbox(*path, stored, rules_.line_end, rules_.locks, is_known || rules_.creates);
    if (done) return path;
    if (done.error().reason == Reason::NoSuchMailbox && rules_.unknown_is_temporary) done.error().reason = Reason::NoMailboxYet;
    return std::unexpected(std::move(done.error()));
  }();
  recipient.is_delivered = appended.has_value();
  if (appended) {
    recipient.file = *appended;
  } else {
    recipient.refusal = appended.error();
  }
  return true;
}

// `is_known`: the directory was named by whoever called us, so that its absence is trouble and not an unknown recipient.
Accepted<std::shared_ptr<const Maildir>> Deliverer::open_or_create(const std::string& path, bool is_known) {
  if (auto maildir = open_.find(path)) return maildir;
  auto maildir = Maildir::open(path);
  if (!maildir && maildir.error().error_number == ENOENT) {
    if (!is_known && !exists(rules_.where.root())) return refuse(Reason::Trouble, rules_.where.root() + ": not there; is it mounted?");
    if (rules_.creates) {
      if (const auto created = Maildir::create(path); !created) return std::unexpected(refusal_of(created.error()));
      maildir = Maildir::open(path);
    } else if (!is_known && !exists(path)) {
      return refuse(rules_.unknown_is_temporary ? Reason::NoMailboxYet : Reason::NoSuchMailbox, std::move(maildir.error().cause));
    }
  }
  if (!maildir) return std::unexpected(refusal_of(maildir.error()));
  (*maildir)->remove_stale_files(base::wall_now());
  open_.add(*maildir);
  return *maildir;
}

// Makes the files that come durable, and the directories of those published before: their recipients have them then.
void Deliverer::sync(Landings& coming) {
  std::vector<Syncer::Item> items;
  items.reserve(coming.size() + published_.size());
  for (const auto& landing : coming) items.push_back({landing.file.fd(), landing.file.maildir().device(), landing.file.maildir().path()});
  std::unordered_map<int, std::size_t> item_of;  // descriptor of new/ -> its item
  for (const auto& landing : published_) {
    const auto& maildir = landing.file.maildir();
    if (item_of.try_emplace(maildir.incoming(), items.size()).second) items.push_back({maildir.incoming(), maildir.device(), maildir.path()});
  }
  const auto results = syncer_.sync(items);
  for (std::size_t i = 0; i < coming.size(); ++i)
    if (!results[i]) coming[i].recipient->refusal = refusal_of(results[i].error());
  drop_refused(coming);
  for (auto& landing : published_) conclude(landing, results[item_of.at(landing.file.maildir().incoming())]);
  published_.clear();
}

void Deliverer::conclude(Landing& landing, const base::Result<void>& directory) {
  if (!directory) {
    landing.recipient->refusal = refusal_of(directory.error());
    return;
  }
  landing.recipient->is_delivered = true;
  landing.recipient->file = landing.file.maildir().path() + "/new/" + landing.name;
}

void Deliverer::publish(Landings& landings) {
  for (auto& landing : landings)
    if (const auto published = landing.file.publish(landing.name); !published) landing.recipient->refusal = refusal_of(published.error());
  drop_refused(landings);
}

}  // namespace maildir
