#include "lib/queue/log_writer.h"

#include <limits.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <thread>
#include <vector>

#include "lib/base/crc32c.h"
#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/queue/commit_mark.h"
#include "lib/queue/log_format.h"
#include "lib/queue/segment_supply.h"
#include "lib/queue/trigger.h"

namespace queue {
namespace {

using base::Result;
using namespace log_format;

constexpr std::array<char, kPageOctets> kZeros{};

Result<base::UniqueFd> lock_patiently(const Spool& spool) {
  for (int tries = 0;; ++tries) {
    auto lock = spool.lock("queue-inject");
    if (lock || lock.error().error_number != EWOULDBLOCK || tries == 20) return lock;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

// What one pwritev(2) after the other writes.
class Pieces {
 public:
  void add(std::string_view octets) {
    if (octets.empty()) return;
    pieces_.push_back({const_cast<char*>(octets.data()), octets.size()});
    octets_ += octets.size();
  }
  [[nodiscard]] std::uint64_t octets() const { return octets_; }

  Result<void> write(int file, std::uint64_t offset) {
    std::size_t first = 0;
    while (first < pieces_.size()) {
      const auto count = std::min<std::size_t>(pieces_.size() - first, IOV_MAX);
      auto n = ::pwritev(file, pieces_.data() + first, static_cast<int>(count), static_cast<off_t>(offset));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return base::fail_errno("write segment");
      offset += static_cast<std::uint64_t>(n);
      for (; n > 0 && static_cast<std::size_t>(n) >= pieces_[first].iov_len; ++first) n -= static_cast<ssize_t>(pieces_[first].iov_len);
      if (n > 0) {
        pieces_[first].iov_base = static_cast<char*>(pieces_[first].iov_base) + n;
        pieces_[first].iov_len -= static_cast<std::size_t>(n);
      }
    }
    return {};
  }

 private:
  std::vector<iovec> pieces_;
  std::uint64_t octets_ = 0;
};

}  // namespace

struct LogWriter::Internal {
  // A message of the batch. `head` has room for the record's header in front.
  struct Pending {
    std::string head;
    base::Blob message;
    [[nodiscard]] std::uint64_t item_octets() const { return head.size() - kRecordHeaderOctets + message.size(); }
  };

  Internal(base::UniqueFd lock_, CommitMark mark_, SegmentSupply supply_, TriggerPoke poke_, std::uint64_t segment_octets_)
      : lock(std::move(lock_)), mark(std::move(mark_)), supply(std::move(supply_)), poke(std::move(poke_)), segment_octets(segment_octets_) {}

  // The record's header, filled in where it will stand, and views of all its octets.
  static Result<base::Blob::View> append_record(Pieces& pieces, Pending& pending, std::uint64_t nonce, std::uint64_t offset) {
    auto message = pending.message.view();
    if (!message) return message;
    const Record record{offset, pending.item_octets()};
    const std::string_view head = pending.head;
    const auto checksum = base::crc32c(message->octets(), base::crc32c(head.substr(kRecordHeaderOctets), checksum_seed(nonce, offset, record.item_octets)));
    pending.head.replace(0, kRecordHeaderOctets, record_header(nonce, record, checksum));
    pieces.add(pending.head);
    pieces.add(message->octets());
    pieces.add({kZeros.data(), octets_of_record(record.item_octets) - kRecordHeaderOctets - record.item_octets});
    return message;
  }

  // The batch, written behind `end` and durable.
  Result<void> write_batch() {
    Pieces pieces;
    std::vector<base::Blob::View> messages;  // keeps the mappings
    messages.reserve(batch.size());
    for (auto& pending : batch) {
      auto message = append_record(pieces, pending, segment->nonce, end + pieces.octets());
      if (!message) return std::unexpected(message.error());
      messages.push_back(std::move(*message));
    }
    pieces.add({kZeros.data(), align(pieces.octets(), kPageOctets) - pieces.octets()});
    if (const auto written = pieces.write(segment->file.get(), end); !written) return written;
    if (::fdatasync(segment->file.get()) != 0) return base::fail_errno("sync segment");
    const LogPosition committed{segment->number, end + pieces.octets()};
    if (const auto stored = mark.store(committed); !stored) return stored;
    end = committed.offset;
    return {};
  }

  Result<void> commit() {
    if (!segment || end + align(octets, kPageOctets) > kPageOctets + batch_room(segment_octets)) {
      auto fresh = supply.take();
      if (!fresh) return std::unexpected(fresh.error());
      segment = std::move(*fresh);
      end = kPageOctets;
    }
    const auto written = write_batch();
    if (!written) {
      base::log::error("segment closed", {{"segment", segment->number}, {"octets", end}, {"cause", written.error().cause}});
      // What was not acknowledged does not exist: a later start must not find it by its checksum. Best effort, since
      // the disk fails; then somebody gets a message twice.
      (void)!::ftruncate(segment->file.get(), static_cast<off_t>(end));
      segment.reset();
    }
    return written;
  }

  base::UniqueFd lock;
  CommitMark mark;
  SegmentSupply supply;
  TriggerPoke poke;
  std::uint64_t segment_octets;

  std::optional<FreshSegment> segment;  // made with the first message that needs it
  std::uint64_t end = 0;                // of what is committed in it
  std::vector<Pending> batch;
  std::uint64_t octets = 0;  // of the records in the batch
};

LogWriter::LogWriter(std::unique_ptr<Internal> internal) : internal_(std::move(internal)) {}
LogWriter::LogWriter(LogWriter&&) noexcept = default;
LogWriter& LogWriter::operator=(LogWriter&&) noexcept = default;
LogWriter::~LogWriter() = default;

Result<LogWriter> LogWriter::open(const Spool& spool, const Limits& limits) {
  const std::uint64_t segment_octets = align(limits.segment_octets, kPageOctets);
  if (segment_octets < kMinSegmentOctets || segment_octets > kMaxSegmentOctets)
    return base::fail(base::Fault::Config, "queue.segment_size " + std::to_string(limits.segment_octets) + "; expected: " +
                                               std::to_string(kMinSegmentOctets) + " to " + std::to_string(kMaxSegmentOctets));
  auto lock = lock_patiently(spool);
  if (!lock) return std::unexpected(lock.error());
  auto mark = CommitMark::open_for_writing(spool);
  if (!mark) return std::unexpected(mark.error());
  const auto before = mark->load();
  if (!before) return std::unexpected(before.error());
  auto supply = SegmentSupply::open(spool, segment_octets, before->segment);
  if (!supply) return std::unexpected(supply.error());
  // All older segments are closed from now on, also those that a mark from before a power cut does not know.
  if (const auto stored = mark->store({supply->next_number(), kPageOctets}); !stored) return std::unexpected(stored.error());
  TriggerPoke poke(spool);
  (void)poke.send({});
  return LogWriter(std::make_unique<Internal>(std::move(*lock), std::move(*mark), std::move(*supply), std::move(poke), segment_octets));
}

std::uint64_t LogWriter::max_item_octets() const { return batch_room(internal_->segment_octets) - kRecordHeaderOctets; }
std::uint64_t LogWriter::batch_octets() const { return internal_->octets; }

bool LogWriter::add(const Item& item, const base::Blob& message) {
  Internal::Pending pending{std::string(kRecordHeaderOctets, '\0') + to_octets(item), message};
  const std::uint64_t octets = internal_->octets + octets_of_record(pending.item_octets());
  if (align(octets, kPageOctets) > batch_room(internal_->segment_octets)) return false;
  internal_->octets = octets;
  internal_->batch.push_back(std::move(pending));
  return true;
}

Result<void> LogWriter::commit() {
  if (internal_->batch.empty()) return {};
  const auto committed = internal_->commit();
  internal_->batch.clear();
  internal_->octets = 0;
  if (committed) (void)internal_->poke.send({});
  return committed;
}

}  // namespace queue
