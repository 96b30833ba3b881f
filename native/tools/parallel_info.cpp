// The parallel_info program: the documented text, an empty line, and the shared libraries of the process.
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <fstream>
#include <set>
#include <string>

#include "threadwheel/parallel.h"

namespace {

// Files mapped as code are the last field of lines in /proc/self/maps, "<range> r-xp <offset> <device> <inode> <path>".
std::set<std::string> loaded_libraries() {
  std::set<std::string> paths;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    const auto path = line.find('/');
    if (path != std::string::npos && line.find(".so", path) != std::string::npos) paths.insert(line.substr(path));
  }
  return paths;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1) {
    const bool asked = std::string(argv[1]) == "--help" || std::string(argv[1]) == "-h";
    std::fputs("usage: parallel_info\n\nPrint the numbers of threads, the libraries with their versions, the "
               "environment variables that count, and what is loaded.\n", asked ? stdout : stderr);
    return asked ? 0 : 2;
  }
  try {
    threadwheel::init_num_threads();
    std::printf("%s\nLoaded .so:\n", threadwheel::get_parallel_info().c_str());
    for (const std::string& path : loaded_libraries()) std::printf("%s\n", path.c_str());
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return 0;
    std::fprintf(stderr, "parallel_info: standard output: %s; make room or write elsewhere\n", std::strerror(errno));
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "parallel_info: %s\n", error.what());
    return 1;
  }
}
