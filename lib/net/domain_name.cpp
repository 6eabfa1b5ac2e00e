#include "lib/net/domain_name.h"

#include <idn2.h>

#include <memory>

#include "lib/base/text.h"
#include "lib/base/utf8.h"

namespace net {

base::Result<std::string> to_a_labels(std::string_view domain) {
  std::string name(domain);
  if (!base::utf8::has_8bit(domain)) return name;
  char* converted = nullptr;
  const int code = ::idn2_to_ascii_8z(name.c_str(), &converted, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
  const std::unique_ptr<char, void (*)(void*)> owner(converted, &::idn2_free);
  if (code != IDN2_OK || domain.find('\0') != std::string_view::npos)
    return base::fail(base::Fault::Permanent, "domain " + base::text::printable(domain) + ": " + (code != IDN2_OK ? ::idn2_strerror(code) : "holds NUL"));
  return std::string(converted);
}

}  // namespace net
