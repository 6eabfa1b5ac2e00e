// The spool as a Keeper: its log, its files, what is recorded in them.
#pragma once

#include <algorithm>

#include "lib/queue/log_reader.h"
#include "lib/queue/spool.h"
#include "queue-run/keeper.h"
#include "queue-run/notifier.h"
#include "queue-run/recorder.h"
#include "queue-run/replacer.h"

namespace run {

class SpoolKeeper : public Keeper {
 public:
  // All are borrowed.
  SpoolKeeper(net::Loop& loop, queue::Spool& spool, queue::LogReader& log, const NoticeSettings& notices);

  base::Result<void> hold(Message& message) override;
  void let_go(Message& message) override;
  void note(Message& message) override { recorder_.note(message); }
  void conclude(Message& message, Conclusion conclusion) override { recorder_.conclude(message, std::move(conclusion)); }
  bool needs_file_to_notify(const Message& message) const override { return message.is_in_log; }
  void store_notices(Message& message, Subject subject, std::vector<Notice> notices, Notified done) override;
  bool is_stored(const queue::Id& notice) const override;
  void replace(queue::Replacement replacement, std::function<void(bool)> done) override { replacer_.replace(std::move(replacement), std::move(done)); }
  bool can_delegate() const override { return true; }
  bool can_record() const override { return recorder_.can_record(); }
  base::Result<void> sync() override;
  void flush(Milliseconds now, bool at_end) override;
  Milliseconds wakes_at() const override { return std::min({recorder_.wakes_at(), notifier_.wakes_at(), replacer_.wakes_at()}); }
  std::uint64_t syncs() const override { return recorder_.syncs(); }
  std::size_t unconcluded() const override { return recorder_.unconcluded() + notifier_.waiting() + replacer_.waiting(); }

 private:
  queue::Spool& spool_;
  queue::LogReader& log_;
  Recorder recorder_;
  Notifier notifier_;
  Replacer replacer_;
};

}  // namespace run
