#include "lib/broker/parcel.h"

#include <fcntl.h>

#include <algorithm>
#include <set>

namespace broker {

using base::Fault;
using base::Result;

Wrapping wrap(const Parcel& parcel) {
  Wrapping wrapping{queue::to_octets(parcel.item), {}};
  for (const auto& event : parcel.events) wrapping.back += queue::to_line(event);
  return wrapping;
}

std::uint64_t octets_of(const Parcel& parcel, const Wrapping& wrapping) { return wrapping.front.size() + parcel.message.size() + wrapping.back.size(); }

namespace {

// Some octets of a body: a copy while it is small, a window of its file else.
Result<base::Blob> window(const base::Blob& body, std::string_view octets, std::uint64_t offset, std::uint64_t length) {
  if (body.is_in_memory()) return base::Blob::of_octets(std::string(octets.substr(offset, length)));
  base::UniqueFd file(::fcntl(body.file(), F_DUPFD_CLOEXEC, 0));
  if (!file.is_open()) return base::fail_errno("dup");
  return base::Blob::of_file(std::move(file), body.offset() + offset, length);
}

}  // namespace

Result<Parcel> unwrap(const base::Blob& body, std::optional<std::uint64_t> item_octets) {
  const auto view = body.view();
  if (!view) return std::unexpected(view.error());
  const auto octets = view->octets();
  const std::uint64_t length = item_octets.value_or(octets.size());
  if (length > octets.size()) return base::fail(Fault::Permanent, "not a message of the spool: cut short");
  std::uint64_t offset = 0;
  auto item = queue::parse_item(octets.substr(0, length), length, offset);
  if (!item) return std::unexpected(base::Error{Fault::Permanent, item.error().cause});
  Parcel parcel;
  auto message = window(body, octets, offset, item->message_octets);
  if (!message) return std::unexpected(message.error());
  parcel.message = std::move(*message);
  parcel.item = std::move(*item);
  parcel.events = queue::parse_events(octets.substr(length));
  return parcel;
}

void shorten(std::vector<queue::Event>& events, std::size_t most) {
  std::vector<std::size_t> sizes;
  std::size_t total = 0;
  for (const auto& event : events) total += sizes.emplace_back(queue::to_line(event).size());
  if (total <= most) return;
  // From the end: what is the last word about a recipient stays.
  std::set<std::optional<std::size_t>> told;
  std::vector<bool> may_go(events.size());
  for (std::size_t i = events.size(); i-- > 0;)
    if (events[i].kind == queue::EventKind::Deferred) may_go[i] = !told.insert(events[i].recipient).second;
  std::size_t i = 0;
  std::erase_if(events, [&](const queue::Event&) {
    const std::size_t at = i++;
    if (total <= most || !may_go[at]) return false;
    total -= sizes[at];
    return true;
  });
}

Parcel part_of(const Parcel& whole, const std::vector<std::uint32_t>& recipients) {
  Parcel part = whole;
  part.item.id = queue::Id::make(whole.item.arrived);
  part.item.envelope.recipients.clear();
  for (const auto index : recipients) part.item.envelope.recipients.push_back(whole.item.envelope.recipients[index]);
  part.events.clear();
  for (const auto& event : whole.events) {
    if (!event.recipient) {
      part.events.push_back(event);
      continue;
    }
    const auto at = std::ranges::find(recipients, *event.recipient);
    if (at == recipients.end()) continue;
    part.events.push_back(event);
    part.events.back().recipient = static_cast<std::size_t>(at - recipients.begin());
  }
  return part;
}

}  // namespace broker
