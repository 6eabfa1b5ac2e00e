// The policy of a domain: RFC 8461 sections 3.3 and 5.1. What is known counts until its time is over, whatever DNS or the server of the
// policy say meanwhile; where they say something new it is fetched. By any thread; it blocks.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>

#include "lib/authn/look_up.h"
#include "lib/authn/mta_sts.h"
#include "mta-sts/store.h"

namespace mta_sts {

struct Fetched {
  std::string text;
  std::string failure;  // a result type of RFC 8460 section 4.3; "": there is none
  std::string problem;  // in words
};
using Fetch = std::function<Fetched(const std::string& domain)>;

struct Found {
  std::optional<Kept> kept;
  std::string failure, problem;  // of a domain that says it has a policy, which could not be had
};

struct Times {
  std::uint64_t refresh_seconds = 86'400;  // age at which a policy is fetched again, though its id is the same
  std::uint64_t retry_seconds = 300;       // pause behind a fetch that failed (section 3.3)
};

// What find() may have under way at once for domains of which nothing is known: servers that hang must not hold up all other mail. What is
// beyond is answered at once, as a fetch that failed.
struct Limits {
  std::size_t questions = 96;  // with those that wait for DNS only: most domains have no policy
  std::size_t waiting = 32;    // of them, for another thread's fetch of the same domain
  std::size_t fetches = 64;
  std::chrono::milliseconds patience{5000};  // of those that wait
};

class Finder {
 public:
  // `now`: seconds since 1970.
  Finder(Store store, authn::LookUp look_up, Fetch fetch, const Times& times, std::function<std::uint64_t()> now, const Limits& limits = {});

  // `domain`: in A-labels, lower case. Fetches only where nothing is known.
  [[nodiscard]] Found find(const std::string& domain);
  // Fetches what is known of the domain anew, if it should be. False: it is fresh enough, or another thread is at it.
  bool refresh(const std::string& domain);

 private:
  [[nodiscard]] std::optional<std::string> published_id(const std::string& domain) const;
  [[nodiscard]] Found fetch(const std::string& domain, const std::string& id);
  [[nodiscard]] std::optional<Found> recent_failure(const std::string& domain);
  void note_failure(const std::string& domain, const Found& found);
  [[nodiscard]] Found find_anew(const std::string& domain);
  [[nodiscard]] Found fetch_if_possible(const std::string& domain, const std::string& id);
  // One thread a domain. False: others are there, or were all the time of its patience.
  [[nodiscard]] bool enter(const std::string& domain, bool waits);
  void leave(const std::string& domain);

  Store store_;
  authn::LookUp look_up_;
  Fetch fetch_;
  Times times_;
  std::function<std::uint64_t()> now_;
  Limits limits_;

  struct Failed {
    Found found;
    std::uint64_t until_seconds;
  };
  std::mutex mutex_;  // of what follows
  std::condition_variable left_;
  std::set<std::string> busy_;
  std::size_t questions_ = 0, waiting_ = 0, fetches_ = 0;  // under way
  std::unordered_map<std::string, Failed> failed_;
};

}  // namespace mta_sts
