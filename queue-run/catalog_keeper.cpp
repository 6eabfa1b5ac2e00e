#include "queue-run/catalog_keeper.h"

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

#include "lib/base/log.h"

namespace run {
namespace {

using base::Result;

constexpr std::size_t kNewsAtOnce = 2000;
constexpr auto kGather = std::chrono::milliseconds(50);      // news of so long share a write
constexpr auto kRetryDelay = std::chrono::seconds(10);       // after a failure, which is a full disk
constexpr auto kPatienceAtEnd = std::chrono::seconds(2);
constexpr std::uint64_t kFewRows = 10'000;
constexpr int kNiceness = 10;

}  // namespace

CatalogKeeper::~CatalogKeeper() { stop(std::nullopt); }

void CatalogKeeper::start() { thread_ = std::thread([this] { work(); }); }

void CatalogKeeper::lies(const queue::Id& id, base::WallTime modified) { tell({News::Kind::Lies, id, modified}); }
void CatalogKeeper::changed(const queue::Id& id) { tell({News::Kind::Changed, id}); }
void CatalogKeeper::gone(const queue::Id& id) { tell({News::Kind::Gone, id}); }
void CatalogKeeper::all_lie() { tell({News::Kind::AllLie, {}}); }

void CatalogKeeper::tell(const News& news) {
  const std::scoped_lock lock(mutex_);
  news_.push_back(news);
  if (news_.size() == 1) has_news_.notify_one();
}

std::optional<std::vector<queue::Id>> CatalogKeeper::pending(std::size_t most) {
  const std::scoped_lock lock(mutex_);
  if (!is_ready_ || news_.size() + under_way_.size() > most) return std::nullopt;
  std::vector<queue::Id> ids;
  for (const auto* news : {&under_way_, &news_})
    for (const auto& each : *news)
      if (each.kind != News::Kind::AllLie) ids.push_back(each.id);
  return ids;
}

bool CatalogKeeper::is_ready() {
  const std::scoped_lock lock(mutex_);
  return is_ready_;
}

void CatalogKeeper::stop(std::optional<base::WallTime> folder_time) {
  if (!thread_.joinable()) return;
  {
    const std::scoped_lock lock(mutex_);
    is_stopping_ = true;
    folder_time_ = folder_time;
    has_news_.notify_one();
  }
  thread_.join();
}

// ---- the thread -------------------------------------------------------------------------------------------------------

// False: that is all, and the end has come.
bool CatalogKeeper::wait_for_news(std::deque<News>& some) {
  std::unique_lock lock(mutex_);
  if (has_failed_) has_news_.wait_for(lock, kRetryDelay, [this] { return is_stopping_; });
  has_news_.wait(lock, [this] { return is_stopping_ || !news_.empty(); });
  if (news_.size() < kNewsAtOnce) has_news_.wait_for(lock, kGather, [this] { return is_stopping_; });
  if (news_.empty() || (is_stopping_ && has_failed_)) return false;
  const auto count = static_cast<std::ptrdiff_t>(std::min(kNewsAtOnce, news_.size()));
  under_way_.assign(news_.begin(), news_.begin() + count);
  news_.erase(news_.begin(), news_.begin() + count);
  if (news_.empty()) std::deque<News>().swap(news_);  // there may have been a million
  some = under_way_;
  return true;
}

void CatalogKeeper::work() {
  (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNiceness);
  std::optional<std::chrono::steady_clock::time_point> ends_at;
  for (std::deque<News> some; wait_for_news(some);) {
    std::size_t done = 0;
    const auto taken = take_all(some, done);
    if (!taken && !has_failed_) base::log::warning("the catalog of deferred/ is not written", {{"cause", taken.error().cause}});
    if (taken && has_failed_) base::log::info("the catalog of deferred/ is written again");
    has_failed_ = !taken;
    const std::scoped_lock lock(mutex_);
    // At least one comes back, so that it is tried again.
    if (!taken) news_.insert(news_.begin(), some.begin() + static_cast<std::ptrdiff_t>(std::min(done, some.size() - 1)), some.end());
    is_ready_ = taken && has_all_;
    under_way_.clear();
    if (!is_stopping_) continue;
    const auto now = std::chrono::steady_clock::now();
    if (!ends_at) ends_at = now + kPatienceAtEnd;
    if (now > *ends_at) return;  // the next queue-run goes on with it
  }
  end();
}

void CatalogKeeper::end() {
  if (!is_ready_ || has_failed_ || !writer_ || !folder_time_) return;
  const auto said = writer_->complete(*folder_time_);
  if (!said) base::log::warning("the catalog of deferred/ is not written", {{"cause", said.error().cause}});
}

Result<void> CatalogKeeper::take_all(const std::deque<News>& some, std::size_t& done) {
  if (!writer_)
    if (const auto opened = open(); !opened) return opened;
  if (const auto written = writer_->write(); !written) return written;  // of the last time, if it failed
  for (; done < some.size(); ++done)
    if (const auto taken = take(some[done]); !taken) return taken;
  if (const auto written = writer_->write(); !written) return written;
  return tidy();
}

Result<void> CatalogKeeper::open() {
  known_.clear();
  auto catalog = queue::Catalog::open(spool_);
  if (!catalog) return std::unexpected(catalog.error());
  if (*catalog)
    if (const auto read = read_known(**catalog); !read) return read;
  auto writer = *catalog && tidy_above_ > 0 ? queue::CatalogWriter::go_on(spool_, **catalog) : queue::CatalogWriter::make_anew(spool_, *catalog ? &**catalog : nullptr);
  if (!writer) return std::unexpected(writer.error());
  tidy_above_ = std::max(tidy_above_, 2 * known_.size() + kFewRows);
  writer_.emplace(std::move(*writer));
  return {};
}

// tidy_above_ stays 0 when the catalog had better be written anew.
Result<void> CatalogKeeper::read_known(queue::Catalog& catalog) {
  constexpr std::size_t kRowsAtOnce = 16'384;
  const auto present = catalog.present();
  if (!present) return std::unexpected(present.error());
  known_.reserve(present->messages);
  std::vector<queue::Catalog::Row> rows;
  for (std::uint64_t first = 0; first < catalog.rows(); first += rows.size()) {
    if (const auto read = catalog.read_rows(first, std::min<std::uint64_t>(kRowsAtOnce, catalog.rows() - first), rows); !read) return read;
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (present->is_last[first + i]) known_.push_back({rows[i].id, rows[i].modified});
  }
  std::ranges::sort(known_, {}, &Known::id);
  if (present->is_whole && catalog.rows() <= 2 * present->messages + kFewRows) tidy_above_ = 2 * present->messages + kFewRows;
  return {};
}

Result<void> CatalogKeeper::take(const News& news) {
  if (news.kind == News::Kind::AllLie) return forget_unseen();
  if (news.kind == News::Kind::Gone) return writer_->gone(news.id), Result<void>();
  const auto known = std::ranges::lower_bound(known_, news.id, {}, &Known::id);
  if (known == known_.end() || known->id != news.id) return writer_->add(news.id);
  known->lies = true;
  return news.kind == News::Kind::Lies && news.modified == known->modified ? Result<void>() : writer_->add(news.id);
}

Result<void> CatalogKeeper::forget_unseen() {
  for (const auto& each : known_)
    if (!each.lies)
      if (const auto added = writer_->add(each.id); !added) return added;  // or gone, if it is
  std::vector<Known>().swap(known_);
  has_all_ = true;
  ::malloc_trim(0);  // for each of a million there was news
  return {};
}

Result<void> CatalogKeeper::tidy() {
  if (writer_->rows() <= tidy_above_ || !known_.empty()) return {};
  auto catalog = queue::Catalog::open(spool_);
  if (!catalog) return std::unexpected(catalog.error());
  auto writer = queue::CatalogWriter::make_anew(spool_, *catalog ? &**catalog : nullptr);
  if (!writer) return std::unexpected(writer.error());
  writer_.emplace(std::move(*writer));
  tidy_above_ = 2 * writer_->rows() + kFewRows;
  return {};
}

}  // namespace run
