// What the tests of this room share.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "lib/queue/spool.h"

namespace queue::testing {

// A spool of its own for a test, removed at its end.
class TestSpool {
 public:
  TestSpool() {
    // In memory where that is: what a disk adds is for tests/queue-inject.bats.
    path = std::filesystem::exists("/dev/shm") ? "/dev/shm" : "/tmp";
    path += "/vsmtp-spool-test.XXXXXX";
    REQUIRE(::mkdtemp(path.data()) != nullptr);
    auto made = Spool::create(path);
    REQUIRE(made);
    spool.emplace(std::move(*made));
  }
  TestSpool(const TestSpool&) = delete;
  TestSpool& operator=(const TestSpool&) = delete;
  ~TestSpool() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  Spool& operator*() { return *spool; }
  Spool* operator->() { return &*spool; }

  [[nodiscard]] std::size_t count(const std::string& folder) const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path + "/" + folder), std::filesystem::directory_iterator()));
  }

  std::string path;
  std::optional<Spool> spool;
};

inline Item make_item(std::string_view message, std::string recipient = "you@example.com") {
  Item item;
  item.id = Id::make();
  item.arrived = item.id.time();
  item.envelope = {"me@example.org", {std::move(recipient)}};
  item.message_octets = message.size();
  return item;
}

inline std::string octets_of(const base::Blob& blob) {
  const auto view = blob.view();
  REQUIRE(view);
  return std::string(view->octets());
}

inline Event make_event(EventKind kind, std::size_t recipient, std::string text = "250 ok") {
  Event event;
  event.kind = kind;
  event.recipient = recipient;
  event.text = std::move(text);
  return event;
}

}  // namespace queue::testing
