// Runs the native tests: all, or those whose name contains the first argument.
#include <cstdio>
#include <cstring>
#include <string>

#include "check.h"

int main(int count, char** arguments) {
  int failed = 0;
  for (const lowbit::test::Test& test : lowbit::test::Tests()) {
    if (count > 1 && !std::strstr(test.name, arguments[1])) continue;
    std::string why;
    test.run(&why);
    if (why.empty()) {
      std::printf("ok %s\n", test.name);
    } else {
      std::printf("not ok %s: %s\n", test.name, why.c_str());
      ++failed;
    }
    std::fflush(stdout);
  }
  return failed ? 1 : 0;
}
