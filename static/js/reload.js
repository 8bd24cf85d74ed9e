// Shows a page anew while something goes on in the background.

setTimeout(() => window.location.reload(), 3000);
