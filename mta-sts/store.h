// Policies of other domains on the disk, a file each, until they have had their time: what survives a restart is what makes MTA-STS hold
// against who keeps the network from us (RFC 8461 section 10.2).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lib/authn/mta_sts.h"
#include "lib/base/result.h"

namespace mta_sts {

struct Kept {
  std::string id;  // of the record that it was fetched for
  std::uint64_t fetched_seconds = 0;  // since 1970
  std::string text;
  authn::sts::Policy policy;  // of the text

  [[nodiscard]] bool is_fresh(std::uint64_t now_seconds) const { return now_seconds < fetched_seconds + policy.max_age_seconds; }
};
[[nodiscard]] std::string format(const Kept& kept);
[[nodiscard]] std::optional<Kept> parse_kept(std::string_view file);

class Store {
 public:
  explicit Store(std::string folder) : folder_(std::move(folder)) {}

  // `domain`: in A-labels, lower case. Nothing: there is none, or it cannot be read.
  [[nodiscard]] std::optional<Kept> read(const std::string& domain) const;
  // Readers find the old one or the new one, whole.
  [[nodiscard]] base::Result<void> write(const std::string& domain, const Kept& kept) const;
  // Makes the folder, and removes what has had its time.
  [[nodiscard]] base::Result<void> open(std::uint64_t now_seconds) const;

 private:
  std::string folder_;
};

}  // namespace mta_sts
