// Who signs what: the sections [dkim] and [virtual "DOMAIN"] of vsmtp.ini, and the keys of their files.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/authn/dkim.h"
#include "lib/base/result.h"
#include "lib/base/settings.h"

namespace authn {

// Private keys of files: each is read once, and again when its file has changed. By any thread.
class KeyRing {
 public:
  [[nodiscard]] base::Result<std::shared_ptr<const PrivateKey>> get(const std::string& file);

 private:
  struct Held {
    std::shared_ptr<const PrivateKey> key;
    long long seconds = 0, nanoseconds = 0;  // of the file's last change
    unsigned long long inode = 0;
  };
  std::mutex mutex_;
  std::map<std::string, Held> held_;
};

struct Signer {
  struct Key {
    std::string selector;
    std::string file;
  };
  std::vector<Key> keys;         // each makes a signature
  dkim::SignOptions options;     // without selector
};

// What all signatures have in common: fields, forms, lifetime.
[[nodiscard]] dkim::SignOptions sign_options_of(const base::Settings& settings);
// For a message of an author of that domain: the keys of [virtual] of the domain or of the nearest one above it, else those of [dkim].
// Nothing: there are none. Fault::Config: keys and selectors do not go together.
[[nodiscard]] base::Result<std::optional<Signer>> signer_for(const base::Settings& settings, std::string_view author_domain);
// Files with keys that the settings name.
[[nodiscard]] std::vector<std::string> key_files(const base::Settings& settings);

// "relaxed/simple", "relaxed" (the body is simple then, RFC 6376 section 3.5), to both forms; false: it is none.
[[nodiscard]] bool read_canonicalization(std::string_view text, dkim::SignOptions& options);

}  // namespace authn
