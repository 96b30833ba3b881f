// How Python says which archive.
#pragma once

#include "archive/archive.h"
#include "bindings/bindings.h"

namespace threadwheel::bindings {

// A path, or the bytes of the file.
archive::Archive open_archive(py::handle source);

}  // namespace threadwheel::bindings
