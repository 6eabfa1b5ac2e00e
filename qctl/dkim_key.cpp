// qctl dkim-key: a key pair for DKIM, the private half in a file, the public half as a record for DNS.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/authn/dkim.h"
#include "lib/base/durable.h"
#include "lib/base/io.h"
#include "lib/base/json_text.h"
#include "lib/base/text.h"
#include "lib/net/domain_name.h"
#include "qctl/commands.h"

namespace qctl {
namespace {

constexpr unsigned kStandardBits = 2048, kLeastBits = 1024, kMostBits = 4096;
constexpr std::size_t kStringOctets = 255;  // of a TXT record, RFC 1035 section 3.3

struct Order {
  std::string domain, selector, file;
  authn::KeyType type = authn::KeyType::Rsa;
  unsigned bits = kStandardBits;
};

base::Result<Order> order_of(const base::CommandLine& line, std::span<const std::string> arguments) {
  const auto wrong = [](const std::string& what) { return base::fail(base::Fault::Usage, "dkim-key: " + what); };
  if (arguments.size() != 2) return wrong("expected: DOMAIN SELECTOR");
  Order order;
  const auto domain = net::to_a_labels(arguments[0]);
  if (!domain || !authn::dkim::is_domain(*domain)) return wrong("'" + base::text::printable(arguments[0]) + "' is no domain");
  order.domain = base::text::to_lower(*domain);
  order.selector = arguments[1];
  if (!authn::dkim::is_domain(order.selector)) return wrong("'" + base::text::printable(order.selector) + "' is no selector: letters, digits, hyphens, with dots between");
  if (line.has("ed25519")) order.type = authn::KeyType::Ed25519;
  if (line.has("bits")) {
    const auto bits = base::text::parse_number<unsigned>(line.text("bits"));
    if (!bits || *bits < kLeastBits || *bits > kMostBits)
      return wrong("--bits " + line.text("bits") + "; expected: " + std::to_string(kLeastBits) + " to " + std::to_string(kMostBits));
    if (order.type == authn::KeyType::Ed25519) return wrong("--bits and --ed25519 exclude each other");
    order.bits = *bits;
  }
  order.file = (line.has("directory") ? line.text("directory") + "/" : std::string()) + order.domain + "." + order.selector + ".pem";
  return order;
}

// A key that is there is in use: its record may be published already.
base::Result<void> write_key(const std::string& file, const std::string& pem) {
  base::UniqueFd opened(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!opened.is_open()) {
    if (errno == EEXIST) return base::fail(base::Fault::Permanent, file + " exists; it is not replaced: remove it, or take another selector");
    return base::fail_errno("create " + file, base::Fault::Config);
  }
  auto written = base::write_all(opened.get(), pem);
  if (written) written = base::sync_data(opened.get(), file);
  if (!written) (void)::unlink(file.c_str());
  return written;
}

// "v=DKIM1; ..." as strings of a TXT record, in one line.
std::string strings_of(std::string_view record) {
  std::string text;
  for (; !record.empty(); record.remove_prefix(std::min(record.size(), kStringOctets))) {
    if (!text.empty()) text += ' ';
    text.append("\"").append(record.substr(0, kStringOctets)).append("\"");
  }
  return text;
}

}  // namespace

base::Result<int> dkim_key(const base::CommandLine& line, std::span<const std::string> arguments, Output& out) {
  const auto order = order_of(line, arguments);
  if (!order) return std::unexpected(order.error());
  const auto key = authn::PrivateKey::generate(order->type, order->bits);
  if (!key) return std::unexpected(key.error());
  const auto pem = key->to_pem();
  if (!pem) return std::unexpected(pem.error());
  const auto record = authn::dkim::key_record(*key);
  if (!record) return std::unexpected(record.error());
  if (const auto written = write_key(order->file, *pem); !written) return std::unexpected(written.error());

  const std::string name = order->selector + "._domainkey." + order->domain;
  if (line.has("json")) {
    std::string text = "{";
    base::json::append_member(text, "file", order->file);
    base::json::append_member(text, "name", name);
    base::json::append_member(text, "record", *record);
    out.put(text + "}\n");
    return 0;
  }
  out.put(name + ". IN TXT ( " + strings_of(*record) + " )\n");
  out.put("; the private key is in " + order->file + "; once DNS has the record, in vsmtp.ini:\n");
  out.put("; [virtual \"" + order->domain + "\"]\n; dkim_selector = " + order->selector + "\n; dkim_private_key = " + order->file + "\n");
  return 0;
}

}  // namespace qctl
