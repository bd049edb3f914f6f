#include "ops/dropout.h"

#include <gtest/gtest.h>
