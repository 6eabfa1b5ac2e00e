#include "queue-run/folders.h"

#include <sys/inotify.h>
#include <sys/stat.h>

#include <cstring>
#include <utility>

#include "lib/base/log.h"
#include "lib/queue/folder_reader.h"
#include "lib/queue/folders.h"

namespace run {
namespace {

// Not IN_CREATE: ours come whole by rename, and a file that somebody copies here is complete when he closes it.
constexpr std::uint32_t kEvents = IN_MOVED_TO | IN_CLOSE_WRITE | IN_ATTRIB | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR;
constexpr std::size_t kMaxReported = 10'000;
constexpr std::size_t kEntriesPerPiece = 20'000;  // of a folder: mail is delivered between them

}  // namespace

// A folder that is being read, the next piece in a thread while nobody else touches this.
struct Folders::Listing {
  queue::Place place;
  std::optional<queue::FolderReader> reader = {};
  std::vector<queue::Entry> entries = {};
  std::vector<queue::Foreign> foreign = {};
  base::Result<bool> more = true;
};

Folders::Folders(net::Loop& loop, const queue::Spool& spool, OnFound on_found, OnGone on_gone, OnReview on_review)
    : loop_(loop), spool_(spool), on_found_(std::move(on_found)), on_gone_(std::move(on_gone)), on_review_(std::move(on_review)), self_(std::make_shared<Folders*>(this)) {}

Folders::~Folders() { *self_ = nullptr; }

base::Result<void> Folders::start() {
  inotify_ = base::UniqueFd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!inotify_.is_open()) return base::fail_errno("inotify_init");
  for (std::size_t i = 0; i < kServed.size(); ++i) {
    const std::string path = spool_.folder_path({kServed[i], {}});
    watched_[i] = ::inotify_add_watch(inotify_.get(), path.c_str(), kEvents);
    if (watched_[i] < 0) return base::fail_errno("watch " + path);
  }
  watch_.emplace(loop_, inotify_.get(), [this](unsigned) { on_readable(); });
  watch_->want(net::Watch::Readable);
  read_all();
  return {};
}

void Folders::stop() { watch_.reset(); }

void Folders::read_all() {
  for (const auto state : kServed) read_in_thread({state, {}});
}

void Folders::read_in_thread(const queue::Place& place) {
  ++reading_;
  read_on(std::make_shared<Listing>(Listing{.place = place}));
}

void Folders::read_on(const std::shared_ptr<Listing>& listing) {
  const auto work = [listing, &spool = spool_] {
    if (!listing->reader) {
      auto opened = queue::FolderReader::open(spool, listing->place);
      if (!opened) {
        listing->more = std::unexpected(opened.error());
        return;
      }
      listing->reader.emplace(std::move(*opened));
    }
    listing->more = listing->reader->next(kEntriesPerPiece, listing->entries, &listing->foreign);
  };
  net::run_in_thread(loop_, work, [self = self_, listing] {
    if (*self != nullptr) (*self)->take_in(listing);
  });
}

void Folders::take_in(const std::shared_ptr<Listing>& listing) {
  for (const auto& entry : listing->entries) on_found_(entry, true);
  if (listing->more && *listing->more) return read_on(listing);
  for (const auto& foreign : listing->foreign) report_foreign(foreign);
  has_failed_ = has_failed_ || !listing->more;
  if (!listing->more) base::log::error("cannot read a folder", {{"folder", listing->place.folder()}, {"cause", listing->more.error().cause}});
  if (--reading_ > 0) return;
  if (std::exchange(is_review_, false)) on_review_(has_failed_ ? Review::Fails : Review::Ends);
  if (std::exchange(must_review_again_, false)) review();
}

// One at a time, however often events are dropped: what it may have passed already is looked at once more.
void Folders::review() {
  if (reading_ > 0) {
    must_review_again_ = true;
    return;
  }
  base::log::warning("too many changes at once, all folders are read again", {{"spool", spool_.path()}});
  is_review_ = true;
  has_failed_ = false;
  on_review_(Review::Begins);
  read_all();
}

void Folders::on_readable() {
  alignas(inotify_event) std::array<char, 65536> buffer;
  for (;;) {
    const auto n = ::read(inotify_.get(), buffer.data(), buffer.size());
    if (n <= 0) return;
    for (std::size_t at = 0; at < static_cast<std::size_t>(n);) {
      inotify_event event;
      std::memcpy(&event, buffer.data() + at, sizeof event);
      const char* name = buffer.data() + at + sizeof event;
      at += sizeof event + event.len;
      if ((event.mask & IN_Q_OVERFLOW) != 0) review();
      if (event.len == 0) continue;
      for (std::size_t i = 0; i < kServed.size(); ++i)
        if (watched_[i] == event.wd) on_event(kServed[i], name);
    }
  }
}

// Events are late: what counts is what is there now.
void Folders::on_event(queue::State state, const char* name) {
  const queue::Place place{state, {}};
  const std::string path = spool_.folder_path(place) + "/" + name;
  const auto id = queue::Id::parse(name);
  struct stat status;
  if (::lstat(path.c_str(), &status) != 0) {
    if (id) on_gone_(place, *id);
  } else if (!id) {
    report_foreign({place.folder() + "/" + name, "not the name of a message"});
  } else if (!S_ISREG(status.st_mode)) {
    report_foreign({place.folder() + "/" + name, "not a regular file"});
  } else {
    on_found_(queue::entry_of(*id, place, status), false);
  }
}

void Folders::report_foreign(const queue::Foreign& foreign) {
  if (reported_.size() >= kMaxReported || !reported_.insert(foreign.path).second) return;
  base::log::warning("foreign file in the spool, left alone", {{"file", foreign.path}, {"reason", foreign.why}});
}

}  // namespace run
