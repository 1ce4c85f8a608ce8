// Runs the native tests: all, or those whose name contains the first argument.
#include <cstdio>
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "check.h"
#include "dispatch/names.h"
#include "rows.h"

namespace {

// Prints the line of a test; returns whether it failed.
bool Report(const char* name, const std::string& why) {
  if (why.empty()) {
    std::printf("ok %s\n", name);
  } else {
    std::printf("not ok %s: %s\n", name, why.c_str());
  }
  std::fflush(stdout);
  return !why.empty();
}

std::set<std::string> RowsOf(lowbit::cpu::Isa have) {
  const std::vector<const char*> names = lowbit::dispatch::KernelNames(have);
  return {names.begin(), names.end()};
}

// Names the rows of this build that did not run, and returns those among them that this processor has. Scalar rows are
// what others are compared with: operators' tests run those that have no other.
std::string RowsThatDidNotRun() {
  const std::set<std::string> here = RowsOf(lowbit::cpu::Detect()), scalar = RowsOf(lowbit::cpu::kScalar);
  std::string missing;
  for (const std::string& name : RowsOf(~lowbit::cpu::Isa{0})) {
    if (lowbit::test::RowsThatRan().count(name)) continue;
    const bool lacks = !here.count(name), plain = scalar.count(name);
    std::printf("# %s did not run%s\n", name.c_str(),
                lacks   ? ": this processor lacks it"
                : plain ? ": no other row is compared with it"
                        : "");
    if (!lacks && !plain) missing += (missing.empty() ? "" : ", ") + name;
  }
  std::printf("# %zu kernel rows ran:", lowbit::test::RowsThatRan().size());
  for (const std::string& name : lowbit::test::RowsThatRan()) std::printf(" %s", name.c_str());
  std::printf("\n");
  return missing;
}

}  // namespace

int main(int count, char** arguments) {
  int failed = 0;
  for (const lowbit::test::Test& test : lowbit::test::Tests()) {
    if (count > 1 && !std::strstr(test.name, arguments[1])) continue;
    std::string why;
    test.run(&why);
    failed += Report(test.name, why);
  }
  if (count <= 1)
    failed += Report("every row of an instruction set that this processor has was run", RowsThatDidNotRun());
  return failed ? 1 : 0;
}
