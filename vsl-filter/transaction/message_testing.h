// For tests of messages: from octets and back.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <utility>

#include "vsl-filter/transaction/message.h"

namespace rules::testing {

inline Message open(std::string_view octets) {
  auto message = Message::open(base::Blob::of_octets(std::string(octets)));
  REQUIRE(message);
  return std::move(*message);
}

inline std::string finished(const Message& message) {
  const auto blob = message.finish({});
  REQUIRE(blob);
  const auto view = blob->view();
  REQUIRE(view);
  return std::string(view->octets());
}

}  // namespace rules::testing
