// Where this host itself takes mail: a mail exchanger that is there would send it back to where it came from.
#pragma once

#include <string>
#include <vector>

#include "lib/base/settings.h"
#include "lib/net/socket.h"

namespace remote {

class OwnPlaces {
 public:
  OwnPlaces() = default;
  // smtp.listen, where 0.0.0.0 and [::] are all addresses of this machine, and remote.own_addresses, whatever the port.
  [[nodiscard]] static base::Result<OwnPlaces> read(const base::Settings& settings);
  // `listen`: as smtp.listen has them; `others`: IP addresses; `of_machine`: those of its interfaces, loopback may be left out.
  [[nodiscard]] static base::Result<OwnPlaces> make(const std::vector<std::string>& listen, const std::vector<std::string>& others, std::vector<std::string> of_machine);

  [[nodiscard]] bool contains(const net::Address& address) const;

 private:
  std::vector<net::Address> listening_;
  std::vector<std::string> others_, of_machine_;
};

}  // namespace remote
