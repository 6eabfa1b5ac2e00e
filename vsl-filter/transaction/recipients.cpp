#include "vsl-filter/transaction/recipients.h"

#include <algorithm>

#include "lib/base/text.h"
#include "vsl-filter/transaction/addresses.h"

namespace rules {
namespace {

Recipient waiting(std::string address, base::WallTime now) {
  Recipient recipient;
  recipient.address = std::move(address);
  recipient.status.time = now;
  return recipient;
}

}  // namespace

void Recipient::readdress(std::string new_address) {
  if (dsn.original_recipient.empty()) {
    auto original = mail::original_recipient_of(address);
    if (original.size() <= mail::kMaxOriginalRecipientOctets) dsn.original_recipient = std::move(original);
  }
  address = std::move(new_address);
}

bool Recipients::contains(std::string_view address) const { return counts_.contains(address_key(address)); }

std::size_t Recipients::find(std::string_view key) const {
  if (!counts_.contains(std::string(key))) return list_.size();
  return static_cast<std::size_t>(std::ranges::find(keys_, key) - keys_.begin());
}

void Recipients::note(std::string_view key, int difference) {
  auto& count = counts_[std::string(key)];
  count += static_cast<std::size_t>(difference);
  if (count == 0) counts_.erase(std::string(key));
}

void Recipients::restore(Recipient recipient) { restore_at(list_.size(), std::move(recipient)); }

void Recipients::restore_at(std::size_t position, Recipient recipient) {
  const auto at = static_cast<std::ptrdiff_t>(std::min(position, list_.size()));
  const auto key = keys_.insert(keys_.begin() + at, address_key(recipient.address));
  note(*key, 1);
  list_.insert(list_.begin() + at, std::move(recipient));
}

void Recipients::add_given(std::string address, base::WallTime now) {
  auto recipient = waiting(address, now);
  recipient.given = std::move(address);
  restore(std::move(recipient));
}

void Recipients::drop_last_given() {
  for (auto i = list_.size(); i-- > 0;) {
    if (!list_[i].given) continue;
    note(keys_[i], -1);
    keys_.erase(keys_.begin() + static_cast<std::ptrdiff_t>(i));
    list_.erase(list_.begin() + static_cast<std::ptrdiff_t>(i));
    return;
  }
}

base::Result<void> Recipients::add(std::string_view address, base::WallTime now) {
  if (const auto checked = check_address(address); !checked) return checked;
  if (!contains(address)) restore(waiting(std::string(address), now));
  return {};
}

base::Result<void> Recipients::remove(std::string_view address) {
  if (const auto checked = check_address(address); !checked) return checked;
  const auto i = find(address_key(address));
  if (i == list_.size()) return {};
  if (list_[i].given) removed_.push_back(*list_[i].given);
  note(keys_[i], -1);
  keys_.erase(keys_.begin() + static_cast<std::ptrdiff_t>(i));
  list_.erase(list_.begin() + static_cast<std::ptrdiff_t>(i));
  return {};
}

base::Result<void> Recipients::rewrite(std::string_view old_address, std::string_view new_address, base::WallTime now) {
  for (const auto address : {old_address, new_address})
    if (const auto checked = check_address(address); !checked) return checked;
  const auto i = find(address_key(old_address));
  if (i == list_.size()) return add(new_address, now);
  auto& rewritten = list_[i];
  rewritten.readdress(std::string(new_address));
  rewritten.transfer = {};
  rewritten.before_quarantine.reset();
  rewritten.status = {};
  rewritten.status.time = now;
  note(keys_[i], -1);
  keys_[i] = address_key(new_address);
  note(keys_[i], 1);
  return {};
}

namespace {

void set(Recipient& recipient, const chain::Transfer& transfer) {
  recipient.transfer = transfer;
  recipient.before_quarantine.reset();
}

}  // namespace

base::Result<void> Recipients::set_transfer(std::string_view address, const chain::Transfer& transfer) {
  const auto key = address_key(address);
  if (!counts_.contains(key)) return base::fail(base::Fault::Permanent, "could not find rcpt '" + base::text::printable(address) + "'");
  for (std::size_t i = 0; i < list_.size(); ++i)
    if (keys_[i] == key) set(list_[i], transfer);
  return {};
}

void Recipients::fail_all(const std::string& reason, base::WallTime now) {
  for (auto& recipient : list_) recipient.status = {DeliveryStatus::Kind::Failed, now, reason, {}};
}

void Recipients::set_transfer_of_all(const chain::Transfer& transfer) {
  for (auto& recipient : list_) set(recipient, transfer);
}

void Recipients::quarantine() {
  for (auto& recipient : list_) {
    if (!recipient.before_quarantine) recipient.before_quarantine = std::move(recipient.transfer);
    recipient.transfer = {.method = chain::TransferMethod::None, .target = {}};
  }
}

void Recipients::restore_transfers() {
  for (auto& recipient : list_)
    if (recipient.transfer.method == chain::TransferMethod::None) set(recipient, chain::Transfer(recipient.before_quarantine.value_or(chain::Transfer())));
}

base::Result<chain::Transfer> forward_to(std::string_view target) {
  auto parsed = chain::ForwardTarget::parse(target);
  if (!parsed) return base::fail(base::Fault::Permanent, base::text::printable(target) + " could not be used as a forward target.");
  return chain::Transfer{chain::TransferMethod::Forward, std::move(*parsed)};
}

}  // namespace rules
