// The predefined codes (vsl.md 3.1) and networks (3.13): constants of v1, functions of v2.
#include <array>
#include <utility>

#include "vsl-filter/api/api.h"
#include "vsl-filter/api/object.h"
#include "vsl-filter/lang/run.h"

namespace rules {

using vsl::Result;
using vsl::Run;
using vsl::Value;

namespace {

struct CodeRow {
  std::string_view constant;  // v1; may be empty
  std::string_view function;  // v2, in code::
  std::string_view aliases;
  int code;
  std::string_view enhanced;
  std::string_view text;
};
constexpr auto kCodes = std::to_array<CodeRow>({
    {"code554_7_1", "c554_7_1", "", 554, "5.7.1", "Relay access denied"},
    {"code550_7_20", "c550_7_20", "", 550, "5.7.20", "No passing DKIM signature found"},
    {"code550_7_21", "c550_7_21", "", 550, "5.7.21", "No acceptable DKIM signature found"},
    {"code550_7_22", "c550_7_22", "", 550, "5.7.22", "No valid author-matched DKIM signature found"},
    {"code550_7_23", "c550_7_23", "", 550, "5.7.23", "SPF validation failed"},
    {"code451_7_24", "c451_7_24", "", 451, "4.7.24", "SPF validation error"},
    {"code550_7_24", "c550_7_24", "", 550, "5.7.24", "SPF validation error"},
    {"code550_7_25", "c550_7_25", "", 550, "5.7.25", "Reverse DNS validation failed"},
    {"code550_7_26", "c550_7_26", "c500_7_26", 550, "5.7.26", "Multiple authentication checks failed"},
    {"code550_7_27", "c550_7_27", "", 550, "5.7.27", "Sender address has null MX"},
    {"code556_1_10", "c556_1_10", "", 556, "5.1.10", "Recipient address has null MX"},
    {"code_greylist", "c451_7_1", "", 451, "4.7.1", "Sender is not authorized. Please try again."},
    {"", "c451_3_0", "", 451, "4.3.0", "Multiple destination domains per transaction is unsupported. Please try again."},
    {"", "c550_1_1", "", 550, "5.1.1", "The email account that you tried to reach does not exist. Please try again."},
});

Value value_of_code(vsl::Heap& heap, const CodeRow& row) {
  return value_of(heap, make_code({row.code, std::string(row.enhanced), std::string(row.text)}));
}

template <std::size_t kRow>
Result code(Run& run, Arguments) {
  return value_of_code(run.heap(), kCodes[kRow]);
}

template <std::size_t... kRow>
constexpr auto code_functions(std::index_sequence<kRow...>) {
  return std::to_array<vsl::NativeRow>({{kCodes[kRow].function, kCodes[kRow].aliases, {}, vsl::kPure, code<kRow>, kCodes[kRow].text, "code"}...});
}
constexpr auto kCodeFunctions = code_functions(std::make_index_sequence<kCodes.size()>());

struct NetworkRow {
  std::string_view constant;  // v1; may be empty
  std::string_view function;  // in net::
  std::string_view aliases;
  std::array<std::string_view, 3> ranges;  // more than one: a group
};
constexpr auto kNetworks = std::to_array<NetworkRow>({
    {"net_192", "rg_192", "range_192", {"192.168.0.0/16"}},
    {"net_172", "rg_172", "range_172", {"172.16.0.0/12"}},
    {"net_10", "rg_10", "range_10", {"10.0.0.0/8"}},
    {"non_routable_net", "non_routable", "", {"192.168.0.0/16", "172.16.0.0/12", "10.0.0.0/8"}},
    {"", "loopback", "", {"127.0.0.0/8", "::1/128"}},
    {"", "private6", "", {"fc00::/7"}},
});

Value value_of_range(vsl::Heap& heap, std::string_view text) {
  return value_of(heap, std::move(*make_object(text.find(':') == std::string_view::npos ? "rg4" : "rg6", text)));
}

Value value_of_network(vsl::Heap& heap, const NetworkRow& row) {
  if (row.ranges[1].empty()) return value_of_range(heap, row.ranges[0]);
  Value elements = heap.array(row.ranges.size());
  for (const std::string_view text : row.ranges)
    if (!text.empty()) elements.array_for_write(heap).push(value_of_range(heap, text));
  return value_of(heap, make_list("group", std::move(elements)));
}

template <std::size_t kRow>
Result network(Run& run, Arguments) {
  return value_of_network(run.heap(), kNetworks[kRow]);
}

template <std::size_t... kRow>
constexpr auto network_functions(std::index_sequence<kRow...>) {
  return std::to_array<vsl::NativeRow>(
      {{kNetworks[kRow].function, kNetworks[kRow].aliases, {}, vsl::kPure, network<kRow>, "addresses that are not routed on the Internet", "net"}...});
}
constexpr auto kNetworkFunctions = network_functions(std::make_index_sequence<kNetworks.size()>());

}  // namespace

void add_predefined(vsl::Natives& natives) {
  natives.add(kCodeFunctions);
  natives.add(kNetworkFunctions);
  for (const CodeRow& row : kCodes)
    if (!row.constant.empty()) natives.add_constant("", row.constant, value_of_code(natives.heap(), row));
  for (const NetworkRow& row : kNetworks)
    if (!row.constant.empty()) natives.add_constant("", row.constant, value_of_network(natives.heap(), row));
}

}  // namespace rules
