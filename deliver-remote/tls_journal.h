// What became of TLS with each host, for reports to its domain (RFC 8460): a line for each session, a file for each day.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "deliver-remote/outcome.h"
#include "lib/authn/tls_rpt.h"
#include "lib/base/clock.h"
#include "lib/base/unique_fd.h"

namespace remote {

// A result type of RFC 8460 section 4.3 for a failure of ours; "": it has nothing to do with TLS.
[[nodiscard]] std::string_view failure_type(const Verdict& failure);

class TlsJournal {
 public:
  // An empty folder: nothing is kept. A day has at most `size_max` octets, what is more is not counted.
  TlsJournal(std::string folder, std::uint64_t size_max) : folder_(std::move(folder)), size_max_(size_max) {}

  [[nodiscard]] bool is_kept() const { return !folder_.empty(); }
  void note(const authn::tlsrpt::Session& session, base::WallTime now = base::wall_now());

 private:
  void open(const std::string& day, base::WallTime now);
  void complain(const std::string& cause);  // once, until it works again

  std::string folder_;
  std::uint64_t size_max_;
  std::string day_;             // of file_; "": none is open
  base::UniqueFd file_;
  base::WallTime failed_;       // when it could not be opened last
  bool has_complained_ = false;
};

}  // namespace remote
