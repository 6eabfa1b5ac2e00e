#include "queue-run/broker_runner.h"

#include <algorithm>

#include "lib/base/log.h"

namespace run {
namespace {

constexpr Milliseconds kLookDelay = 200;
constexpr unsigned kEmptyLooks = 2;  // a message may be on its way to us while its queue is empty

BrokerKeeper::Settings keeper_settings(const broker::Setup& setup, std::uint16_t prefetch, const Runner::Settings& settings) {
  const auto& deliveries = settings.deliveries;
  const bool has_rules = !deliveries.rules.chain.empty();
  const auto patience = deliveries.calls.timeout_milliseconds + (has_rules ? 2 * deliveries.rules.timeout_milliseconds : 0);
  return {setup, prefetch, std::chrono::milliseconds(patience), deliveries.notices, deliveries.routes, has_rules ? std::optional(deliveries.rules.stages) : std::nullopt};
}

}  // namespace

BrokerRunner::BrokerRunner(net::Loop& loop, const broker::Setup& setup, std::uint16_t prefetch, const Runner::Settings& settings)
    : loop_(loop),
      settings_(settings),
      timer_(loop, [this] { timer_is_for_ = kNever; }),
      stop_timer_(loop, [this] {
        was_cut_short_ = true;
        base::log::warning("open deliveries are given up", {{"calls", deliveries_->open_calls()}});
        deliveries_->abandon();
        finish();
      }),
      drain_timer_(loop, [this] { ask_whether_empty(); }) {
  loop.after_io([this] { turn(); });
  BrokerKeeper::Events events{
      [this](std::unique_ptr<Message> message, const broker::Parcel& parcel) {
        ++taken_;
        deliveries_->admit(std::move(message), parcel.item.context, parcel.events);
      },
      [this] { deliveries_->release_idle(); },
  };
  keeper_ = std::make_unique<BrokerKeeper>(loop, keeper_settings(setup, prefetch, settings), std::move(events));
  deliveries_ = std::make_unique<Deliveries>(loop, *keeper_, settings.deliveries, [](const Deliveries::Left&) {}, [](const queue::Id&) {});
  if (settings_.drains) drain_timer_.start(kLookDelay, kLookDelay);
}

BrokerRunner::~BrokerRunner() = default;

void BrokerRunner::stop() {
  if (is_stopping_) return;
  is_stopping_ = true;
  drain_timer_.stop();
  stop_timer_.start(settings_.stop_timeout);
  keeper_->stop();
  deliveries_->release_idle();
}

bool BrokerRunner::is_idle() const { return deliveries_->messages() == 0 && deliveries_->unconcluded() == 0; }

void BrokerRunner::turn() {
  if (has_ended_) return;
  const Milliseconds now = loop_.now_milliseconds();
  deliveries_->flush(now);
  if (!is_stopping_) {
    has_more_to_start_ = deliveries_->start(now);
  } else if (deliveries_->open_calls() == 0 && deliveries_->unconcluded() == 0) {
    return finish();
  }
  set_timer(now);
}

void BrokerRunner::ask_whether_empty() {
  if (is_stopping_ || !is_idle() || !keeper_->is_up()) return;
  taken_when_empty_ = taken_;
  keeper_->count([this](const base::Result<std::uint64_t>& waiting) {
    const bool is_empty = waiting && *waiting == 0 && is_idle() && taken_ == taken_when_empty_;
    empty_looks_ = is_empty ? empty_looks_ + 1 : 0;
    if (empty_looks_ >= kEmptyLooks) stop();
  });
}

void BrokerRunner::finish() {
  has_ended_ = true;
  deliveries_->flush(loop_.now_milliseconds(), true);
  loop_.stop();
}

void BrokerRunner::set_timer(Milliseconds now) {
  const Milliseconds at = has_more_to_start_ && !is_stopping_ ? now : deliveries_->wakes_at();
  if (at == timer_is_for_) return;
  timer_is_for_ = at;
  timer_.start(at <= now ? 0 : std::min<Milliseconds>(at - now, 60'000));
}

}  // namespace run
