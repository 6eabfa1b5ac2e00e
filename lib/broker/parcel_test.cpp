#include "lib/broker/parcel.h"

#include <doctest/doctest.h>

using broker::Parcel;
using queue::Event;
using queue::EventKind;

namespace {

Parcel sample() {
  Parcel parcel;
  parcel.item.id = queue::Id::make();
  parcel.item.arrived = *base::parse_rfc3339("2026-11-21T20:15:00.123456Z");
  parcel.item.envelope = {"me@a.test", {"one@b.test", "two@c.test", "three@b.test"}};
  parcel.item.context = R"({"x":1})";
  parcel.message = base::Blob::of_octets("Subject: x\r\n\r\nbody\r\n");
  parcel.item.message_octets = parcel.message.size();
  return parcel;
}

Event event(EventKind kind, std::size_t recipient, std::string text) { return {base::wall_now(), kind, recipient, "mx", "a@b", std::move(text)}; }

std::string body_of(const Parcel& parcel) {
  const auto wrapping = broker::wrap(parcel);
  return wrapping.front + std::string(parcel.message.octets()) + wrapping.back;
}

}  // namespace

TEST_CASE("broker: what is wrapped is unwrapped") {
  Parcel parcel = sample();
  parcel.events = {event(EventKind::Deferred, 0, "451 later"), event(EventKind::Sent, 1, "250 ok")};
  const auto wrapping = broker::wrap(parcel);
  const auto body = body_of(parcel);
  CHECK(broker::octets_of(parcel, wrapping) == body.size());
  const std::uint64_t item = wrapping.front.size() + parcel.message.size();
  const auto back = broker::unwrap(base::Blob::of_octets(body), item);
  REQUIRE(back);
  CHECK(back->item.id == parcel.item.id);
  CHECK(back->item.envelope.recipients == parcel.item.envelope.recipients);
  CHECK(back->item.context == parcel.item.context);
  CHECK(back->message.octets() == parcel.message.octets());
  REQUIRE(back->events.size() == 2);
  CHECK(back->events[1].kind == EventKind::Sent);
  CHECK(back->events[1].recipient == 1);
}

TEST_CASE("broker: a large message is a window of the file it came into") {
  Parcel parcel = sample();
  parcel.message = base::Blob::of_octets(std::string(200'000, 'x'));
  parcel.item.message_octets = parcel.message.size();
  base::BlobWriter::Limits limits;
  base::BlobWriter writer(limits);
  REQUIRE(writer.append(body_of(parcel)));
  const auto back = broker::unwrap(writer.finish(), std::nullopt);
  REQUIRE(back);
  CHECK_FALSE(back->message.is_in_memory());
  CHECK(back->message.view()->octets() == parcel.message.octets());
}

TEST_CASE("broker: what is no message of ours is known") {
  const auto body = body_of(sample());
  CHECK(broker::unwrap(base::Blob::of_octets(body), body.size()));
  for (const auto& [octets, item] : {std::pair<std::string, std::uint64_t>{"nonsense", 8}, {"", 0}, {body.substr(0, body.size() - 1), body.size()}, {body, body.size() - 1}, {body, body.size() + 1}}) {
    const auto back = broker::unwrap(base::Blob::of_octets(octets), item);
    REQUIRE_FALSE(back);
    CHECK(back.error().fault == base::Fault::Permanent);
  }
}

TEST_CASE("broker: a part has its own id, its recipients and what happened to them") {
  Parcel whole = sample();
  whole.events = {event(EventKind::Deferred, 0, "a"), event(EventKind::Deferred, 1, "b"), event(EventKind::Deferred, 2, "c")};
  whole.events.push_back({base::WallTime(), EventKind::Ruled, std::nullopt, "delivery", {}, {}});
  const auto part = broker::part_of(whole, {0, 2});
  CHECK(part.item.id != whole.item.id);
  CHECK(part.item.arrived == whole.item.arrived);
  CHECK(part.item.envelope.recipients == std::vector<std::string>{"one@b.test", "three@b.test"});
  REQUIRE(part.events.size() == 3);
  CHECK(part.events[1].recipient == 1);
  CHECK(part.events[1].text == "c");
  CHECK(part.events[2].kind == EventKind::Ruled);  // or its rules would be run again
  CHECK_FALSE(part.events[2].recipient);
}

TEST_CASE("broker: a record that grows too long loses old deferrals, never the last word about a recipient") {
  std::vector<Event> events;
  for (int i = 0; i < 100; ++i) {
    events.push_back(event(EventKind::Deferred, 0, "first " + std::to_string(i)));
    events.push_back(event(EventKind::Deferred, 1, "second " + std::to_string(i)));
  }
  events.push_back(event(EventKind::Sent, 1, "250 ok"));
  auto same = events;
  broker::shorten(same, 1 << 20);
  CHECK(same.size() == events.size());
  broker::shorten(events, 2000);
  std::size_t octets = 0;
  for (const auto& one : events) octets += queue::to_line(one).size();
  CHECK(octets <= 2000);
  const auto progress = queue::sum_up(events, 2);
  CHECK(progress[1].is_settled);
  REQUIRE(progress[0].last);
  CHECK(progress[0].last->text == "first 99");
  broker::shorten(events, 0);
  CHECK(events.size() == 3);  // the last deferral of each, and what settles
}
