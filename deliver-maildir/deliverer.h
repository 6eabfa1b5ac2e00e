// Puts parcels into Maildirs. All parcels of one call share their syncs: every file is written, then all are made durable,
// then all get their names in new/, then those directories are made durable. Until then nothing is called delivered.
// One call after the other shares even more: the directories of one become durable with the files of the next.
// Messages for mbox files are appended one after the other, each with a sync of its own.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>

#include "deliver-maildir/mailbox_name.h"
#include "deliver-maildir/maildir.h"
#include "deliver-maildir/mbox.h"
#include "deliver-maildir/parcel.h"
#include "lib/mail/stored_form.h"
#include "deliver-maildir/sync.h"
#include "deliver-maildir/unique_name.h"

namespace maildir {

// What becomes of a recipient with an extension whose folder is not there: refused, delivered without the extension, or the
// folder is made if there is a mailbox without it.
enum class MissingFolder : std::uint8_t { Refuse, Inbox, Create };

struct DeliveryRules {
  MailboxTemplate where;
  std::optional<MailboxTemplate> catch_all;  // for recipients that have no mailbox
  MissingFolder missing_folder = MissingFolder::Refuse;
  bool is_mbox = false;  // what lies there
  MboxLocks locks;
  NameRules names;
  bool creates = false;
  bool unknown_is_temporary = false;
  mail::LineEnd line_end = mail::LineEnd::Lf;
  bool size_in_name = true;
  std::size_t open_max = 256;
};

// The Maildirs used last, kept open. An entry is handed out only while it is still what its path leads to.
class OpenMaildirs {
 public:
  explicit OpenMaildirs(std::size_t max) : max_(max) {}
  // nullptr: not here.
  std::shared_ptr<const Maildir> find(const std::string& path);
  void add(std::shared_ptr<const Maildir> maildir);
  [[nodiscard]] std::size_t size() const { return recent_.size(); }

 private:
  using Recent = std::list<std::shared_ptr<const Maildir>>;  // the last one used in front
  std::size_t max_;
  Recent recent_;
  std::unordered_map<std::string, Recent::iterator> by_path_;
};

class Deliverer {
 public:
  Deliverer(DeliveryRules rules, std::string_view host);

  // Every recipient of every parcel has its result afterwards.
  void deliver(std::span<Parcel* const> parcels);
  // The same in two steps: the results of these parcels are there after the next advance(), which may have none.
  void advance(std::span<Parcel* const> parcels);

 private:
  // A file of one recipient that is written and not yet called delivered.
  struct Landing {
    Parcel::Recipient* recipient;
    NewFile file;
    std::string name;
  };
  using Landings = std::vector<Landing>;

  void write_files(Parcel& parcel, Landings& landings);
  Accepted<Landing> write_file(const Parcel& parcel, Parcel::Recipient& recipient, const mail::Segments& message);
  // Whether it goes to an mbox; then its result is there.
  bool deliver_to_mbox(const Parcel& parcel, Parcel::Recipient& recipient, const mail::Segments& message);
  [[nodiscard]] Accepted<std::string> path_of(const Parcel& parcel, const Parcel::Recipient& recipient) const;
  Accepted<std::shared_ptr<const Maildir>> maildir_of(const Parcel& parcel, const Parcel::Recipient& recipient);
  // For a recipient whose Maildir is not there, as `refusal` says.
  Accepted<std::shared_ptr<const Maildir>> stand_in(const MailboxName& name, const std::string& path, Refusal refusal);
  Accepted<std::shared_ptr<const Maildir>> open_or_create(const std::string& path, bool is_known);
  void sync(Landings& coming);
  static void conclude(Landing& landing, const base::Result<void>& directory);
  static void publish(Landings& landings);

  DeliveryRules rules_;
  OpenMaildirs open_;
  UniqueNames names_;
  Syncer syncer_;
  Landings published_;  // have their names, which are not durable yet
};

}  // namespace maildir
