#include "lib/broker/address.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <optional>

#include "lib/base/io.h"
#include "lib/base/text.h"

namespace broker {
namespace {

namespace text = base::text;
using base::Fault;
using base::Result;

constexpr std::string_view kScheme = "amqp://";
constexpr std::size_t kPasswordFileOctets = 4096;

std::optional<int> hex(char c) {
  if (text::is_digit(c)) return c - '0';
  c = text::lower(c);
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return std::nullopt;
}

std::optional<std::string> decode(std::string_view encoded) {
  std::string out;
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    if (encoded[i] != '%') {
      out += encoded[i];
      continue;
    }
    const auto high = i + 2 < encoded.size() ? hex(encoded[i + 1]) : std::nullopt;
    const auto low = high ? hex(encoded[i + 2]) : std::nullopt;
    if (!low) return std::nullopt;
    out += static_cast<char>(*high * 16 + *low);
    i += 2;
  }
  if (out.find('\0') != std::string::npos) return std::nullopt;
  return out;
}

std::unexpected<base::Error> bad(std::string_view what) {
  return base::fail(Fault::Config, "address of the broker: " + std::string(what) + "; expected: amqp://USER:PASSWORD@HOST:PORT,HOST:PORT/VHOST");
}

Result<Host> parse_host(std::string_view words) {
  Host host;
  std::string_view port;
  bool has_port = false;
  if (words.starts_with('[')) {
    const auto end = words.find(']');
    if (end == std::string_view::npos) return bad("'[' without ']'");
    host.name = words.substr(1, end - 1);
    words.remove_prefix(end + 1);
    has_port = text::consume(words, ":");
    if (!has_port && !words.empty()) return bad("'" + text::printable(words, 60) + "' behind ']'");
    port = words;
  } else {
    has_port = words.find(':') != std::string_view::npos;
    const auto [name, number] = text::split_once(words, ':');
    host.name = name;
    port = number;
  }
  if (host.name.empty()) return bad("a host without a name");
  if (!has_port) return host;
  const auto number = text::parse_number<std::uint16_t>(port);
  if (!number || *number == 0) return bad("'" + text::printable(port, 60) + "' is not a port");
  host.port = *number;
  return host;
}

Result<void> parse_user(std::string_view words, Address& address) {
  const bool has_password = words.find(':') != std::string_view::npos;
  const auto [user, password] = text::split_once(words, ':');
  const auto user_decoded = decode(user), password_decoded = decode(password);
  if (!user_decoded || user_decoded->empty()) return bad("a user that cannot be read");
  if (!password_decoded) return bad("a password that cannot be read: % stands for %25, @ for %40, / for %2F");
  address.user = *user_decoded;
  if (has_password) address.password = *password_decoded;
  address.has_password = has_password;
  return {};
}

}  // namespace

std::string Address::text() const {
  std::string out = std::string(kScheme) + user + "@";
  for (const auto& host : hosts) {
    if (&host != &hosts.front()) out += ',';
    out += host.name.find(':') == std::string::npos ? host.name : "[" + host.name + "]";
    out += ":" + std::to_string(host.port);
  }
  return out + (vhost.starts_with('/') ? "" : "/") + vhost;
}

bool is_address(std::string_view where) { return where.starts_with("amqp:") || where.starts_with("amqps:"); }

Result<Address> parse_address(std::string_view where) {
  if (where.starts_with("amqps:"))
    return bad("amqps is not spoken here: put stunnel or a VPN between this host and the broker, and give its end here as amqp://");
  if (!text::consume(where, kScheme)) return bad("no amqp://");
  if (where.find_first_of("?#") != std::string_view::npos) return bad("parameters behind '?' are not known");
  Address address;
  const auto slash = where.find('/');
  if (slash != std::string_view::npos && slash + 1 < where.size()) {
    const auto vhost = decode(where.substr(slash + 1));
    if (!vhost || where.substr(slash + 1).find('/') != std::string_view::npos) return bad("a VHOST that cannot be read: / stands for %2F");
    address.vhost = *vhost;
  }
  where = where.substr(0, slash);
  if (const auto at = where.rfind('@'); at != std::string_view::npos) {
    if (const auto user = parse_user(where.substr(0, at), address); !user) return std::unexpected(user.error());
    where.remove_prefix(at + 1);
  }
  for (const auto words : text::split(where, ',')) {
    auto host = parse_host(words);
    if (!host) return std::unexpected(host.error());
    address.hosts.push_back(std::move(*host));
  }
  if (address.hosts.empty()) return bad("no host");
  return address;
}

Result<void> read_password(Address& address, const std::string& path) {
  const auto file = base::open_file(path, O_RDONLY);
  if (!file) return std::unexpected(base::Error{Fault::Config, "password of the broker: " + file.error().cause, file.error().error_number});
  struct stat status;
  if (::fstat(file->get(), &status) != 0) return base::fail_errno("stat " + path, Fault::Config);
  if (S_ISREG(status.st_mode) && (status.st_mode & (S_IROTH | S_IWOTH | S_IWGRP)) != 0)
    return base::fail(Fault::Config, path + ": others can read or change this password; expected: mode 600 or 640");
  const auto octets = base::read_all(file->get(), kPasswordFileOctets);
  if (!octets) return std::unexpected(base::Error{Fault::Config, path + ": " + octets.error().cause});
  const auto line = text::split_once(*octets, '\n').first;
  if (line.empty() || line.find('\0') != std::string_view::npos) return base::fail(Fault::Config, path + ": no password on its first line");
  address.password = line;
  address.has_password = true;
  return {};
}

}  // namespace broker
