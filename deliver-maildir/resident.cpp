#include "deliver-maildir/resident.h"

#include <iterator>

#include "lib/base/log.h"

namespace maildir {

using chain::Answer;
using chain::PendingCall;

Resident::Resident(net::Loop& loop, Deliverer deliverer, CallRules rules, std::size_t batch_files)
    : loop_(loop),
      deliverer_(std::move(deliverer)),
      rules_(std::move(rules)),
      batch_files_(batch_files),
      server_(loop, {}, [this](PendingCall call) { take(std::move(call)); }) {
  loop_.after_io([this] { start_batch(); });
}

void Resident::take(PendingCall call) {
  const auto& called = call.invocation.call;
  if (called.kind == chain::Kind::Delivery) {
    const auto delivery = chain::parse_delivery_call(call.invocation.arguments);
    if (!delivery) return call.answer(Answer::exit(base::exit_row(delivery.error().fault).in_chain));
    auto parcel = parcel_of(*delivery, called.message, rules_);  // before `call` moves away
    waiting_.push_back({std::move(call), std::move(parcel)});
    return;
  }
  auto parcel = direct_parcel(called, rules_, call.invocation.next.empty());
  if (!parcel) return call.answer(std::move(parcel.error()));
  waiting_.push_back({std::move(call), std::move(*parcel)});
}

void Resident::start_batch() {
  if (!batch_.empty() || waiting_.empty()) return;
  std::size_t jobs = 0;
  for (std::size_t files = 0; jobs < waiting_.size() && files < batch_files_; ++jobs) files += waiting_[jobs].parcel.recipients.size();
  const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(jobs);
  batch_.assign(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
  waiting_.erase(waiting_.begin(), end);
  const auto deliver = [this] {
    std::vector<Parcel*> parcels;
    for (auto& job : batch_) parcels.push_back(&job.parcel);
    deliverer_.deliver(parcels);
  };
  net::run_in_thread(loop_, deliver, [this] { answer_batch(); });
}

void Resident::answer_batch() {
  for (auto& [call, parcel] : batch_) {
    log_parcel(parcel);
    if (call.invocation.call.kind == chain::Kind::Delivery) {
      call.answer(chain::to_answer(report_of(parcel)));
    } else {
      call.answer(direct_answer(parcel, call.invocation.next.empty()));
    }
  }
  batch_.clear();
  start_batch();
}

void log_parcel(const Parcel& parcel) {
  for (const auto& recipient : parcel.recipients) {
    if (recipient.is_delivered) {
      base::log::info("delivered", {{"from", parcel.sender.value_or("")}, {"to", recipient.address}, {"file", recipient.file}});
    } else if (recipient.refusal) {
      base::log::warning("refused", {{"from", parcel.sender.value_or("")},
                                     {"to", recipient.address},
                                     {"reply", recipient.refusal->reply()},
                                     {"cause", recipient.refusal->cause}});
    }
  }
}

}  // namespace maildir
