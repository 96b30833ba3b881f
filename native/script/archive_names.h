// The names that an archive's code may use: the dialect's words, its own classes and functions, its constants.
#pragma once

#include "script/unit.h"

namespace threadwheel::script {

class ArchiveNames final : public Names {
 public:
  explicit ArchiveNames(Unit& unit) : unit_(unit) {}

  Meaning find(const std::string& name) override;
  bool is_archive() const override { return true; }

 private:
  Unit& unit_;  // which owns this
};

}  // namespace threadwheel::script
