#include "deliver-maildir/resident.h"

#include <algorithm>
#include <iterator>

#include "lib/base/log.h"

namespace maildir {

using chain::Answer;
using chain::PendingCall;

Resident::Resident(net::Loop& loop, Deliverer deliverer, CallRules rules, const Batching& batching)
    : loop_(loop),
      deliverer_(std::move(deliverer)),
      rules_(std::move(rules)),
      batching_(batching),
      gathering_(loop, [this] { step(); }),
      server_(loop, {}, [this](PendingCall call) { take(std::move(call)); }) {
  loop_.after_io([this] {
    if (!is_resting_) step();
  });
}

void Resident::take(PendingCall call) {
  const auto& called = call.invocation.call;
  if (called.kind == chain::Kind::Delivery) {
    const auto delivery = chain::parse_delivery_call(call.invocation.arguments);
    if (!delivery) return call.answer(Answer::exit(base::exit_row(delivery.error().fault).in_chain));
    auto parcel = parcel_of(*delivery, called.message, rules_);  // before `call` moves away
    parcel.log_ids = chain::LogIds::of(called);
    waiting_.push_back({std::move(call), std::move(parcel)});
    return;
  }
  auto parcel = direct_parcel(called, rules_, call.invocation.next.empty());
  if (!parcel) return call.answer(std::move(parcel.error()));
  parcel->log_ids = chain::LogIds::of(called);
  waiting_.push_back({std::move(call), std::move(*parcel)});
  is_resting_ = false;
}

bool Resident::is_awaited(const Job& job) { return job.call.invocation.call.kind != chain::Kind::Delivery; }

void Resident::step() {
  is_resting_ = false;
  if (is_working_ || (waiting_.empty() && published_.empty())) return;
  is_working_ = true;
  std::size_t jobs = 0;
  for (std::size_t files = 0; jobs < waiting_.size() && files < batching_.files; ++jobs) files += waiting_[jobs].parcel.recipients.size();
  const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(jobs);
  batch_.assign(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
  waiting_.erase(waiting_.begin(), end);
  const auto advance = [this] {
    std::vector<Parcel*> parcels;
    for (auto& job : batch_) parcels.push_back(&job.parcel);
    deliverer_.advance(parcels);
  };
  net::run_in_thread(loop_, advance, [this] { end_step(); });
}

void Resident::end_step() {
  is_working_ = false;
  for (auto& [call, parcel] : published_) {
    log_parcel(parcel);
    if (call.invocation.call.kind == chain::Kind::Delivery) {
      call.answer(chain::to_answer(report_of(parcel)));
    } else {
      call.answer(direct_answer(parcel, call.invocation.next.empty()));
    }
  }
  published_ = std::move(batch_);
  batch_.clear();
  is_resting_ = std::ranges::none_of(waiting_, is_awaited) && std::ranges::none_of(published_, is_awaited);
  if (is_resting_) gathering_.start(batching_.gather_milliseconds);
}

void log_parcel(const Parcel& parcel) {
  for (const auto& recipient : parcel.recipients) {
    if (recipient.is_delivered) {
      base::log::write(base::log::Level::Info, "delivered", parcel.log_ids.before({{"from", parcel.sender.value_or("")}, {"to", recipient.address}, {"file", recipient.file}}));
    } else if (recipient.refusal) {
      base::log::write(base::log::Level::Warning, "refused",
                       parcel.log_ids.before({{"from", parcel.sender.value_or("")}, {"to", recipient.address}, {"reply", recipient.refusal->reply()}, {"cause", recipient.refusal->cause}}));
    }
  }
}

}  // namespace maildir
