// Which kernel rows the tests ran: a test asks `Runs(row)` before it calls one. main.cc names the rows that this
// processor lacks, and fails where one that it has was never asked for.
#pragma once

#include <set>
#include <string>

#include "cpu/detect.h"

namespace lowbit::test {

inline std::set<std::string>& RowsThatRan() {
  static std::set<std::string> names;
  return names;
}

// Whether this processor runs the row, which then counts as tested.
template <typename Row>
bool Runs(const Row& row) {
  if (!cpu::Has(cpu::Detect(), row.needs)) return false;
  RowsThatRan().insert(row.name);
  return true;
}

}  // namespace lowbit::test
