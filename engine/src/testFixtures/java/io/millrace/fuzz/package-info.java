/// Damages inputs and watches what reads them; shared by the tests of the modules.
package io.millrace.fuzz;
