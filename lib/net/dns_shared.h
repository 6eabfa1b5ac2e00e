// DNS for programs with many threads: each may ask and wait for its answer; one thread of its own, with one Resolver, serves all.
#pragma once

#include <memory>
#include <string>

#include "lib/net/dns.h"

namespace net::dns {

class SharedResolver {
 public:
  // Costs nothing until the first question.
  explicit SharedResolver(Settings settings);
  ~SharedResolver();  // nobody may be waiting
  SharedResolver(const SharedResolver&) = delete;
  SharedResolver& operator=(const SharedResolver&) = delete;

  // Blocks, at most for the time limit of the settings. By any thread.
  [[nodiscard]] Answer resolve(const std::string& name, Type type);

 private:
  struct Internal;
  std::unique_ptr<Internal> internal_;
};

}  // namespace net::dns
