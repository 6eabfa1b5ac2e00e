// A folder of certificates for tests.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "lib/net/tls.h"
#include "lib/net/tls_test_files.h"

namespace net::tls::test {

class Folder {
 public:
  Folder() {
    std::string pattern = std::filesystem::temp_directory_path() / "tls.XXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  std::string put(const std::string& name, std::string_view text) {
    std::ofstream(path_ / name) << text;
    return path_ / name;
  }
  CredentialFiles pair(const std::string& name, std::string_view certificate, std::string_view key) { return {put(name + ".crt", certificate), put(name + ".key", key)}; }

 private:
  std::filesystem::path path_;
};

struct Files : Folder {
  CredentialFiles ec = pair("ec", kEcCertificate, kEcKey);
  CredentialFiles rsa = pair("rsa", kRsaCertificate, kRsaKey);
  CredentialFiles net = pair("net", kNetCertificate, kNetKey);
};

}  // namespace net::tls::test
